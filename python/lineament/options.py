"""What is asked of a tagger."""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional, Union

OperatingPoint = Literal["accuracy", "balanced"]
Engine = Literal["native", "int8"]
#: Pixels, or text: ``"24px"``, ``"2.5%"``.
SmallestFace = Union[str, float]


class PredictOptions(NamedTuple):
    """Which faces are asked for, and what of each; ``None`` leaves what was asked before. The native half reads the same fields."""

    smallest_face: Optional[str] = None
    max_faces: Optional[int] = None
    any_orientation: Optional[bool] = None
    landmarks: Optional[bool] = None
    quality: Optional[bool] = None
    least_quality: Optional[float] = None
    abstain: Optional[float] = None

    @classmethod
    def of(
        cls,
        smallest_face: SmallestFace | None,
        max_faces: int | None,
        any_orientation: bool | None,
        landmarks: bool | None,
        quality: bool | None,
        least_quality: float | None,
        abstain: float | None,
    ) -> PredictOptions:
        """Refuses what nobody can answer."""
        if max_faces is not None and max_faces < 1:
            raise ValueError(f"max_faces is {max_faces}; give 1 or more, or None for all faces")
        for name, value in (("least_quality", least_quality), ("abstain", abstain)):
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}; give a number between 0 and 1")
        smallest = None if smallest_face is None else str(smallest_face)
        return cls(smallest, max_faces, any_orientation, landmarks, quality, least_quality, abstain)

    def over(self, usual: PredictOptions) -> PredictOptions:
        """What is asked in all, where this is asked of a tagger that is asked ``usual``."""
        return usual._replace(**{name: value for name, value in self._asdict().items() if value is not None})

    @property
    def answers_quality(self) -> bool:
        """Whether faces come with their quality."""
        return bool(self.quality) or self.least_quality is not None
