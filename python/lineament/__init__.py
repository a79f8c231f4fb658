"""Faces in photos, and their attributes: ``Tagger().predict("photo.jpg")``.

Attributes are labels that people gave to photos, not facts about a person.
"""

from ._native import __version__
from .errors import DataError, LineamentError, ModelError, PictureError, TeachError
from .results import Attribute, Box, Crops, Face, Landmarks, Pose, Prediction, Predictions
from .tagger import Lesson, Tagger

__all__ = [
    "Attribute",
    "Box",
    "Crops",
    "DataError",
    "Face",
    "FeatureExtractor",
    "Landmarks",
    "Lesson",
    "LineamentError",
    "ModelError",
    "PictureError",
    "Pose",
    "Prediction",
    "Predictions",
    "Tagger",
    "TeachError",
    "__version__",
]


def __getattr__(name: str) -> object:
    # scikit-learn takes a second to import, and is optional.
    if name == "FeatureExtractor":
        from .features import FeatureExtractor

        return FeatureExtractor
    raise AttributeError(f"module 'lineament' has no attribute {name!r}")
