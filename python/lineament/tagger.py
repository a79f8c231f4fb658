"""The main class of the package."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from . import _native
from .errors import PictureError
from .options import Engine, OperatingPoint, PredictOptions, SmallestFace
from .pictures import Picture, expand, natives, several
from .results import Attribute, Box, Crops, Face, Landmarks, Pose, Prediction, Predictions


class Tagger:
    """Finds faces and predicts their attributes, with the nets of one bundle.

    ``model`` is the path of a bundle or its bytes, else the one in the package; ``threads`` are its own, by default one per
    processor. ``operating_point`` selects the model's thresholds; ``attributes`` selects attributes. With ``engine="int8"``
    convolutions are computed in eight-bit integers: half the time on processors with AVX-512 VNNI or AVX-VNNI, more on others; answers
    differ a little. ``detector`` finds faces instead of the model's LNets, and learned from boxes, as these did not: ``"yunet"``, which is
    in the package, or an ONNX file with the outputs of YuNet or UltraFace. A tagger can be called from many threads at once, and gives
    the same answers on any number of them. It can be passed to other processes, and in one that is forked the first call makes nets and
    threads of its own.

    ``smallest_face`` is the height of the smallest face that is looked for: a number of pixels, or text such as ``"24px"`` or
    ``"2.5%"`` (of the photo's longer side); by default 2.5 %, and 16 pixels at least. ``max_faces`` keeps the best so many;
    ``Prediction.faces_left_out`` counts the others. ``any_orientation`` also finds faces that lie on their side or stand on their
    head, and takes about four times as long to find faces. ``landmarks`` answers with eyes, nose and corners of the mouth, and which way
    each face looks (``Face.landmarks``, ``Face.pose``). ``quality`` says how far a face's attributes can be trusted (``Face.quality``:
    the share of them that is expected to be right); with ``least_quality`` faces below it are left out, and
    ``Prediction.faces_of_low_quality`` counts them. With ``abstain`` an answer that would be right with a lower probability is not given:
    ``Attribute.value`` is ``None``. Pictures of more than ``max_pixels`` are refused from their headers, by
    default of more than 250 million.

    Raises ``ModelError`` where the bundle cannot be used, ``ValueError`` for an attribute that it does not know, or a size or number
    that is none.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | None = None,
        threads: int | None = None,
        *,
        operating_point: OperatingPoint = "accuracy",
        attributes: Sequence[str] | None = None,
        engine: Engine = "native",
        smallest_face: SmallestFace | None = None,
        max_faces: int | None = None,
        any_orientation: bool = False,
        landmarks: bool = False,
        quality: bool = False,
        least_quality: float | None = None,
        abstain: float | None = None,
        detector: str | os.PathLike[str] | None = None,
        max_pixels: int | None = None,
    ) -> None:
        if max_pixels is not None and max_pixels < 1:
            raise ValueError(f"max_pixels is {max_pixels}; give the pixels of the largest picture, or None for 250 million")
        if threads is not None and not 1 <= threads <= 1024:
            raise ValueError(f"threads is {threads}; give 1 to 1024, or None for one a processor")
        own = model if isinstance(model, bytes) or model is None else os.fspath(model)
        selected = None if attributes is None else list(attributes)
        predict_options = PredictOptions.of(smallest_face, max_faces, any_orientation, landmarks, quality, least_quality, abstain)
        finder = None if detector is None else os.fspath(detector)
        self._arguments = (own, threads, operating_point, selected, engine, predict_options, finder, max_pixels)
        self._made = _native.Tagger(*self._arguments)

    @property
    def _native(self) -> _native.Tagger:
        """The nets and threads of this process. A fork has no threads and may have locks that nobody opens: it makes its own."""
        if self._made.inherited():
            self._made = _native.Tagger(self._made.bundle(), *self._arguments[1:])
        return self._made

    @property
    def answers_landmarks(self) -> bool:
        """Whether faces are answered with their landmarks and pose."""
        return bool(self._options.landmarks)

    @property
    def answers_quality(self) -> bool:
        """Whether faces are answered with their quality."""
        return self._options.answers_quality

    @property
    def _options(self) -> PredictOptions:
        return self._arguments[5]

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, self._arguments

    def __repr__(self) -> str:
        card = self.card
        return f"Tagger({card['name']} {card['version']}, {len(self.attributes)} attributes, {self.threads} threads)"

    @property
    def attributes(self) -> list[str]:
        """Names of the selected attributes, in the order of the answers: as they were asked for, else as in the card."""
        return self._native.attributes()

    @property
    def card(self) -> dict[str, Any]:
        """What the model is: nets, attributes, training data, figures, licence."""
        return dict(json.loads(self._native.card()))

    @property
    def hash(self) -> str:
        """SHA-256 of the bundle's file."""
        return self._native.hash()

    @property
    def threads(self) -> int:
        """The number of threads."""
        return self._native.threads()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bundle, completely or not at all."""
        path = os.fspath(path)
        temporary = f"{path}.{os.getpid()}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(self._native.bundle())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)

    @overload
    def predict(
        self,
        pictures: Picture,
        *,
        smallest_face: SmallestFace | None = None,
        max_faces: int | None = None,
        any_orientation: bool | None = None,
        landmarks: bool | None = None,
        quality: bool | None = None,
        least_quality: float | None = None,
        abstain: float | None = None,
        embeddings: bool = False,
        crops: Crops | None = None,
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        pictures: Sequence[Picture],
        *,
        errors: Literal["raise", "return"] = "raise",
        smallest_face: SmallestFace | None = None,
        max_faces: int | None = None,
        any_orientation: bool | None = None,
        landmarks: bool | None = None,
        quality: bool | None = None,
        least_quality: float | None = None,
        abstain: float | None = None,
        embeddings: bool = False,
        crops: Crops | None = None,
    ) -> Predictions: ...

    def predict(
        self,
        pictures: Any,
        *,
        errors: Literal["raise", "return"] = "raise",
        smallest_face: SmallestFace | None = None,
        max_faces: int | None = None,
        any_orientation: bool | None = None,
        landmarks: bool | None = None,
        quality: bool | None = None,
        least_quality: float | None = None,
        abstain: float | None = None,
        embeddings: bool = False,
        crops: Crops | None = None,
    ) -> Prediction | Predictions:
        """The faces of an image, or of each of a list (in parallel; other Python threads go on).

        Raises ``PictureError`` for the first image of a list that cannot be read; with ``errors="return"`` the error takes its
        place in the list. Files are decoded when they are needed; arrays and PIL images of a list are copied first.
        The options from ``smallest_face`` to ``abstain`` hold for this call instead of the tagger's own. With ``embeddings`` each face has the vector that its attributes are read from, and with ``crops`` it is cut out:
        ``predict(photo, crops=Crops(side=128))``.
        """
        if errors not in ("raise", "return"):
            raise ValueError(f"errors is {errors!r}; it can be 'raise' or 'return'")
        predict_options = PredictOptions.of(smallest_face, max_faces, any_orientation, landmarks, quality, least_quality, abstain)
        if not several(pictures):
            return self._predict([pictures], predict_options, "raise", embeddings, crops)[0]  # type: ignore[return-value]
        answers = self._predict(pictures, predict_options, errors, embeddings, crops)
        whole = predict_options.over(self._options)
        model = self.hash if embeddings else ""
        return Predictions(
            answers,
            self.attributes,
            bool(whole.landmarks),
            embeddings,
            model,
            quality=whole.answers_quality,
            least_quality=whole.least_quality is not None,
        )

    def _predict(
        self, pictures: Sequence[Any], predict_options: PredictOptions, errors: str, embeddings: bool, crops: Crops | None
    ) -> list[Prediction | PictureError]:
        options = None if crops is None else crops.options()
        given = natives(pictures)
        predictions: list[Prediction | PictureError] = []
        for index, (picture, answer) in enumerate(zip(given, self._native.predict(given, predict_options, embeddings, options))):
            if isinstance(answer, str):
                error = _unread(picture, answer, index)
                if errors == "raise":
                    raise error
                predictions.append(error)
                continue
            width, height, faces, left_out, low = answer
            predictions.append(Prediction(_path(picture), width, height, [_face(*face) for face in faces], left_out, low))
        return predictions

    @overload
    def embed(self, pictures: Picture) -> bytes | None: ...
    @overload
    def embed(self, pictures: Sequence[Picture]) -> list[bytes | None]: ...

    def embed(self, pictures: Any) -> bytes | None | list[bytes | None]:
        """The embedding of the dominant face of an image, ANet's FC vector, as native 32-bit floats, or ``None`` where no face is
        found; of a list, one for each image.

        ``vectors`` is another name of it.
        """
        if not several(pictures):
            only: list[bytes | None] = self.embed([pictures])
            return only[0]
        given = natives(pictures)
        found: list[bytes | None] = []
        for index, (picture, vector) in enumerate(zip(given, self._native.embed(given))):
            if isinstance(vector, str):
                raise _unread(picture, vector, index)
            found.append(vector)
        return found

    vectors = embed

    @property
    def embedding_length(self) -> int:
        """Length of the embedding; ``vector_length`` is another name of it."""
        return self._native.embedding_length()

    vector_length = embedding_length

    def evaluate(
        self,
        data: str | os.PathLike[str],
        layout: Literal["celeba", "lfw", "csv"] | None = None,
        split: Literal["train", "validation", "test"] = "test",
        region: Literal["located", "landmarks"] = "located",
        *,
        background: str | os.PathLike[str] | None = None,
    ) -> dict[str, Any]:
        """The figures on labelled photos, as ``lineament evaluate --format json`` prints them.

        Without ``layout`` the files in the folder decide it. ``background`` is a folder of photos without a face, to count false
        alarms. Raises ``DataError`` if nothing can be measured; an image that cannot be read is listed under ``skipped``.
        """
        return dict(json.loads(self._native.evaluate(data, layout, split, region, background)))

    def teach(
        self,
        name: str,
        positive: str | os.PathLike[str] | Sequence[Picture],
        negative: str | os.PathLike[str] | Sequence[Picture],
        *,
        people: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
        share: float | None = None,
        seed: int = 1,
        replace: bool = False,
    ) -> Lesson:
        """Fits a custom attribute to photos with it and photos without it: folders, or lists of images.

        The nets stay as they are: a linear SVM is fitted to their FC vectors, cross-validated by photo, or by person where ``people``
        names the person in each photo of both sides. ``share`` is how common the attribute is where the model will be used. Raises
        ``TeachError`` if there are too few photos or nothing was learned.
        """
        yes, no = expand(positive), expand(negative)
        numbers: list[int] | None = None
        if people is not None:
            everybody = [*people[0], *people[1]]
            if (len(people[0]), len(people[1])) != (len(yes), len(no)):
                raise ValueError("people wants one entry for each picture: a list for positive and one for negative")
            known = {person: number for number, person in enumerate(dict.fromkeys(everybody))}
            numbers = [known[person] for person in everybody]
        pictures = natives([*yes, *no])
        answers = [True] * len(yes) + [False] * len(no)
        bundle, figures, faceless, unread = self._native.teach(
            name, pictures, answers, numbers, share, seed, replace
        )
        _, threads, point, attributes, engine, predict_options, detector, pixels = self._arguments
        selected = None if attributes is None else [*attributes, *([name] if name not in attributes else [])]
        return Lesson(
            tagger=_again(bundle, threads, point, selected, engine, predict_options, detector, pixels),
            figures=json.loads(figures),
            without_face=faceless,
            unread=[_unread(pictures[index], reason, index) for index, reason in unread],
        )


@dataclass(frozen=True)
class Lesson:
    """The result of :meth:`Tagger.teach`.

    ``tagger`` has the new attribute next to the others (``tagger.save("my.lineament")`` saves it); ``figures`` measure it on held-out
    photos. ``without_face`` holds the positions (positive, then negative photos) where no face was found.
    """

    tagger: Tagger
    figures: dict[str, Any]
    without_face: list[int]
    unread: list[PictureError]


def _face(
    box: tuple[float, float, float, float],
    score: float,
    roll: float | None,
    attributes: dict[str, tuple[bool | None, float]],
    marked: tuple[list[tuple[float, float]], tuple[float, float, float] | None] | None,
    quality: float | None,
    embedding: bytes | None,
    crop: bytes | None,
) -> Face:
    points, pose = (None, None) if marked is None else marked
    landmarks = None if points is None else Landmarks(*points)
    named = {name: Attribute(*answer) for name, answer in attributes.items()}
    return Face(Box(*box), score, named, roll, landmarks, None if pose is None else Pose(*pose), quality, embedding, crop)


def _unread(picture: Any, reason: str, index: int) -> PictureError:
    path = _path(picture)
    return PictureError(f"picture {index}: {reason}" if path is None else reason, index, path)


def _path(picture: Any) -> str | None:
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else None


def _again(
    model: Any,
    threads: int | None,
    point: OperatingPoint,
    attributes: list[str] | None,
    engine: Engine,
    predict_options: PredictOptions,
    detector: str | None,
    max_pixels: int | None,
) -> Tagger:
    return Tagger(
        model,
        threads,
        operating_point=point,
        attributes=attributes,
        engine=engine,
        smallest_face=predict_options.smallest_face,
        max_faces=predict_options.max_faces,
        any_orientation=bool(predict_options.any_orientation),
        landmarks=bool(predict_options.landmarks),
        quality=bool(predict_options.quality),
        least_quality=predict_options.least_quality,
        abstain=predict_options.abstain,
        detector=detector,
        max_pixels=max_pixels,
    )
