"""What can go wrong; the messages are the library's."""

from __future__ import annotations

import json
from typing import Any


class LineamentError(Exception):
    """Any of those below."""


class PictureError(LineamentError, ValueError):
    """A picture that cannot be read; ``index`` is its place in the list that was given, ``path`` its path if it was given by one."""

    def __init__(self, message: str, index: int = 0, path: str | None = None) -> None:
        super().__init__(message, index, path)
        self.index = index
        self.path = path

    def __str__(self) -> str:
        return str(self.args[0])


class ModelError(LineamentError, ValueError):
    """A bundle that cannot be used."""


class DataError(LineamentError, ValueError):
    """Labelled pictures that cannot be measured on."""


class TeachError(LineamentError, ValueError):
    """An attribute that was not learned; ``figures`` says what was measured before it was refused, if anything was."""

    def __init__(self, message: str, figures: str | None = None) -> None:
        super().__init__(message, figures)
        self.figures: dict[str, Any] | None = None if figures is None else json.loads(figures)

    def __str__(self) -> str:
        return str(self.args[0])
