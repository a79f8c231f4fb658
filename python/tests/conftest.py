"""Pictures that may be shown to anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineament

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def tagger() -> lineament.Tagger:
    return lineament.Tagger(threads=2)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    return EXAMPLES / "astronaut.png"


@pytest.fixture(scope="session")
def examples() -> list[Path]:
    return [EXAMPLES / name for name in ("astronaut.png", "chelsea.png", "coffee.png")]
