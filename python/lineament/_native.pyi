from collections.abc import Sequence
from typing import Any, TypeAlias, final

from .options import PredictOptions

__all__ = ["Tagger", "__version__"]

__version__: str

_Landmarks: TypeAlias = tuple[list[tuple[float, float]], tuple[float, float, float] | None]
_Face: TypeAlias = tuple[
    tuple[float, float, float, float],
    float,
    float | None,
    dict[str, tuple[bool | None, float]],
    _Landmarks | None,
    float | None,
    bytes | None,
    bytes | None,
]

@final
class Tagger:
    def __new__(
        cls,
        model: str | bytes | None,
        threads: int | None,
        operating_point: str,
        attributes: list[str] | None,
        engine: str,
        options: PredictOptions,
        detector: str | None,
        max_pixels: int | None,
    ) -> Tagger: ...
    def inherited(self) -> bool: ...
    def attributes(self) -> list[str]: ...
    def hash(self) -> str: ...
    def card(self) -> str: ...
    def bundle(self) -> bytes: ...
    def threads(self) -> int: ...
    def embedding_length(self) -> int: ...
    def predict(
        self,
        images: Sequence[Any],
        options: PredictOptions,
        embeddings: bool,
        crops: tuple[str, int, float, str] | None,
    ) -> list[
        tuple[
            int,
            int,
            list[_Face],
            int,
            int | None,
        ]
        | str
    ]: ...
    def embed(self, images: Sequence[Any]) -> list[bytes | str | None]: ...
    def evaluate(
        self,
        data: Any,
        layout: str | None,
        split: str,
        region: str,
        background: Any | None,
    ) -> str: ...
    def teach(
        self,
        name: str,
        images: Sequence[Any],
        answers: Sequence[bool],
        people: Sequence[int] | None,
        share: float | None,
        seed: int,
        replace: bool,
    ) -> tuple[bytes, str, list[int], list[tuple[int, str]]]: ...
