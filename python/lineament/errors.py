"""What can go wrong; the messages are the library's."""

from __future__ import annotations

import json
from typing import Any


class LineamentError(Exception):
    """The base of all errors of this package."""


class PictureError(LineamentError, ValueError):
    """An image that cannot be read; ``index`` is its position in the list, ``path`` its path if it was given as one."""

    def __init__(self, message: str, index: int = 0, path: str | None = None) -> None:
        super().__init__(message, index, path)
        self.index = index
        self.path = path

    def __str__(self) -> str:
        return str(self.args[0])


class ModelError(LineamentError, ValueError):
    """A bundle that cannot be used."""


class DataError(LineamentError, ValueError):
    """Labelled photos that cannot be used for measuring."""


class TeachError(LineamentError, ValueError):
    """An attribute that was not learned; ``figures`` holds what was measured, if anything was."""

    def __init__(self, message: str, figures: str | None = None) -> None:
        super().__init__(message, figures)
        self.figures: dict[str, Any] | None = None if figures is None else json.loads(figures)

    def __str__(self) -> str:
        return str(self.args[0])
