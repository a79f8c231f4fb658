"""ANet's FC vectors for scikit-learn."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from .tagger import Tagger


class FeatureExtractor(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Embeds images: the FC vector of the dominant face of each, N x F, 32-bit floats.

    ``X`` is a list of images as :meth:`Tagger.predict` takes them, an array N x H x W x 3 of uint8, or, with ``image_shape=(H, W, 3)``,
    a matrix of flattened images N x (H * W * 3) of whole numbers from 0 to 255. An image without a face gives a row of ``"nan"`` or
    ``"zero"``, or an error (``"raise"``), as ``missing`` says. ``fit`` learns nothing.
    """

    def __init__(
        self,
        model: Any = None,
        threads: int | None = None,
        image_shape: tuple[int, int, int] | None = None,
        missing: Literal["raise", "nan", "zero"] = "raise",
    ) -> None:
        self.model = model
        self.threads = threads
        self.image_shape = image_shape
        self.missing = missing

    def fit(self, X: Any = None, y: Any = None) -> FeatureExtractor:
        """Loads the model."""
        if self.missing not in ("raise", "nan", "zero"):
            raise ValueError(f"missing is {self.missing!r}; it can be 'raise', 'nan' or 'zero'")
        self.tagger_ = Tagger(self.model, self.threads)
        self.n_features_out_ = self.tagger_.embedding_length
        if self.image_shape is not None:
            self.n_features_in_ = int(np.prod(self.image_shape))
        return self

    def transform(self, X: Any) -> np.ndarray[Any, Any]:
        """The FC vectors. Raises ``PictureError`` for an image that cannot be read."""
        if not hasattr(self, "tagger_"):
            # Fitting learns nothing: an extractor that was not fitted only lacks its model.
            self.fit()
        vectors = self.tagger_.embed(self._pictures(X))
        faceless = [place for place, vector in enumerate(vectors) if vector is None]
        if faceless and self.missing == "raise":
            raise ValueError(
                f"no face was found in {len(faceless)} of {len(vectors)} pictures, the first at place {faceless[0]}; "
                "leave them out, or give missing='nan' or 'zero'"
            )
        out = np.full((len(vectors), self.n_features_out_), np.nan if self.missing == "nan" else 0, np.float32)
        for row, vector in zip(out, vectors):
            if vector is not None:
                row[:] = np.frombuffer(vector, np.float32)
        return out

    def _pictures(self, X: Any) -> list[Any]:
        if self.image_shape is None:
            return list(X)
        flat = np.asarray(X)
        if flat.ndim != 2 or flat.shape[1] != np.prod(self.image_shape):
            raise ValueError(f"X has the shape {flat.shape}; image_shape={self.image_shape} wants N x {np.prod(self.image_shape)}")
        pixels = flat.astype(np.uint8)
        if not np.array_equal(pixels, flat):
            raise ValueError("X has values that are no whole numbers from 0 to 255")
        return list(pixels.reshape(-1, *self.image_shape))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """``anet0``, ``anet1``, ..."""
        if not hasattr(self, "tagger_"):
            self.fit()
        return np.array([f"anet{place}" for place in range(self.n_features_out_)], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        # Images are not a matrix of floats: scikit-learn then leaves out the checks that would pass one.
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
