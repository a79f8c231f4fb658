"""What a tagger answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from .errors import PictureError

if TYPE_CHECKING:
    import pandas
    import pyarrow


@dataclass(frozen=True)
class Attribute:
    """One attribute of one face.

    ``value`` is the answer at the operating point; ``probability`` (0 to 1) is calibrated and does not depend on it, so that
    ``value`` does not have to change at 0.5. It is ``None`` where ``abstain`` asked for answers that are more likely to be right.
    """

    value: bool | None
    probability: float

    @property
    def present(self) -> bool:
        """Whether the face has it; false where that is unknown."""
        return bool(self.value)


@dataclass(frozen=True)
class Box:
    """Where a face is, in pixels of the upright image; it may reach outside."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Landmarks:
    """Eyes, nose and corners of the mouth, left and right as seen once the head is turned upright: x and y in pixels of the upright image."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    left_mouth: tuple[float, float]
    right_mouth: tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """Which way a face looks, in degrees: ``yaw`` to the right in the image, ``pitch`` upwards, ``roll`` clockwise."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class Crops:
    """How faces are cut out: turned upright with the box in the middle (``aligned``), or as the region that the model sees.

    ``side`` is in pixels. ``margin`` is added on each side, in sides of the box's square or of the region; by default 0.25, or 0 for regions.
    """

    framing: Literal["aligned", "region"] = "aligned"
    side: int = 256
    margin: float | None = None
    format: Literal["jpeg", "png"] = "jpeg"

    def __post_init__(self) -> None:
        if not 1 <= self.side <= 4096:
            raise ValueError(f"side is {self.side}; give 1 to 4096 pixels")
        if self.margin is not None and not -0.4 <= self.margin <= 4:
            raise ValueError(f"margin is {self.margin}; give a share between -0.4 and 4")

    def options(self) -> tuple[str, int, float, str]:
        """As the native half takes them."""
        usual = 0.25 if self.framing == "aligned" else 0.0
        return self.framing, self.side, usual if self.margin is None else self.margin, self.format


@dataclass(frozen=True)
class Face:
    """A face: its box, the score of the detection, and its attributes by name.

    ``roll`` is how far the head is turned clockwise in the image, in degrees between -180 and 180 (0 is upright); ``None`` where the
    model does not know it. ``landmarks``, ``pose``, ``quality`` (the share of the attributes that is expected to be right), ``embedding`` (native 32-bit floats: ``np.frombuffer(face.embedding, np.float32)``) and
    ``crop`` (the bytes of an image file) are there where they were asked for.
    """

    box: Box
    score: float
    attributes: dict[str, Attribute]
    roll: float | None = None
    landmarks: Landmarks | None = None
    pose: Pose | None = None
    quality: float | None = None
    embedding: bytes | None = field(default=None, repr=False)
    crop: bytes | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Attribute:
        """``face["Smiling"]`` is ``face.attributes["Smiling"]``."""
        return self.attributes[name]


@dataclass(frozen=True)
class Prediction:
    """An image and its faces, the highest score first. ``path`` is set if the image was given as one.

    ``faces_left_out`` is how many more were found than ``max_faces`` allows, ``faces_of_low_quality`` how many were left out by
    ``least_quality``, where that was asked for.
    """

    path: str | None
    width: int
    height: int
    faces: list[Face] = field(default_factory=list)
    faces_left_out: int = 0
    faces_of_low_quality: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object that ``lineament predict --format json`` prints, with all digits."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "faces": [
                {
                    "box": {"x": f.box.x, "y": f.box.y, "width": f.box.width, "height": f.box.height},
                    "score": f.score,
                    **({} if f.roll is None else {"roll": f.roll}),
                    **({} if f.landmarks is None else {"landmarks": {name: list(at) for name, at in vars(f.landmarks).items()}}),
                    **({} if f.pose is None else {"pose": dict(vars(f.pose))}),
                    **({} if f.quality is None else {"quality": f.quality}),
                    "attributes": {
                        name: {"value": a.value, "probability": a.probability} for name, a in f.attributes.items()
                    },
                }
                for f in self.faces
            ],
            "faces_left_out": self.faces_left_out,
            **({} if self.faces_of_low_quality is None else {"faces_of_low_quality": self.faces_of_low_quality}),
        }


class Predictions(list["Prediction | PictureError"]):
    """The answers to a list of images, in its order; with ``errors="return"`` an error stands for an image that could not be read."""

    def __init__(
        self,
        answers: Iterable[Prediction | PictureError],
        attributes: list[str],
        landmarks: bool = False,
        embeddings: bool = False,
        model: str = "",
        *,
        quality: bool = False,
        least_quality: bool = False,
    ) -> None:
        super().__init__(answers)
        self.attributes = attributes
        """Names of the selected attributes."""
        self.landmarks = landmarks
        """Whether faces have landmarks and pose."""
        self.quality = quality
        """Whether faces have their quality."""
        self.least_quality = least_quality
        """Whether faces of a low quality are left out."""
        self.embeddings = embeddings
        """Whether faces have their embeddings."""
        self.model = model
        """SHA-256 of the model that made the embeddings."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per image; ``{"error": ...}`` for one that could not be read."""
        return [{"error": str(a)} if isinstance(a, PictureError) else a.to_dict() for a in self]

    def to_arrow(
        self,
        *,
        every_picture: bool = False,
        keys: list[str] | None = None,
        crops: list[list[str]] | None = None,
    ) -> pyarrow.Table:
        """One row per face, with the columns of ``lineament predict --format parquet``.

        With ``every_picture`` the columns of ``lineament predict --shards``: an image without a face has a row with face 0, one that
        could not be read a row with the reason under ``error``. ``keys`` go to the column ``path``; by default it is the path, or
        the position in the list. ``crops`` are the files of each image's faces, for a column ``crop``. Embeddings are a column of lists.
        """
        from array import array

        import pyarrow as pa

        types = dict.fromkeys(["path"], pa.string())
        types |= dict.fromkeys(["width", "height", "face"], pa.uint32())
        types |= dict.fromkeys(["x", "y", "box_width", "box_height", "score", "roll"], pa.float32())
        types |= dict.fromkeys(["faces_left_out"], pa.uint32())
        if every_picture:
            types["error"] = pa.string()
        if crops is not None:
            types["crop"] = pa.string()
        if self.embeddings:
            types["embedding"] = pa.list_(pa.field("element", pa.float32(), nullable=False))
        for name in self.attributes:
            types |= {name: pa.bool_(), f"{name}_probability": pa.float32()}
        numbers = ["quality"] if self.quality else []
        if self.landmarks:
            numbers += [f"{point.name}_{axis}" for point in fields(Landmarks) for axis in "xy"] + ["yaw", "pitch"]
        types |= dict.fromkeys(numbers, pa.float32())
        if self.least_quality:
            types["faces_of_low_quality"] = pa.uint32()
        columns: dict[str, list[Any]] = {name: [] for name in types}

        def add(row: dict[str, Any]) -> None:
            for name, column in columns.items():
                column.append(row.get(name))

        for place, answer in enumerate(self):
            own = str(place) if answer.path is None else answer.path
            key = own if keys is None else keys[place]
            if isinstance(answer, PictureError):
                if every_picture:
                    add({"path": key, "face": 0, "error": str(answer)})
                continue
            whole = {"path": key, "width": answer.width, "height": answer.height, "faces_left_out": answer.faces_left_out}
            whole |= {"faces_of_low_quality": answer.faces_of_low_quality}
            if every_picture and not answer.faces:
                add(whole | {"face": 0})
            for number, face in enumerate(answer.faces, 1):
                box = face.box
                row = whole | {"face": number, "x": box.x, "y": box.y, "box_width": box.width, "box_height": box.height}
                row |= {"score": face.score, "roll": face.roll}
                if crops is not None:
                    row["crop"] = crops[place][number - 1]
                if face.embedding is not None:
                    row["embedding"] = array("f", face.embedding)
                for name, attribute in face.attributes.items():
                    row |= {name: attribute.value, f"{name}_probability": attribute.probability}
                if face.quality is not None:
                    row["quality"] = face.quality
                if face.landmarks is not None:
                    row |= {f"{name}_{axis}": value for name, at in vars(face.landmarks).items() for axis, value in zip("xy", at)}
                if face.pose is not None:
                    row |= {"yaw": face.pose.yaw, "pitch": face.pose.pitch}
                add(row)
        unknown = [name for name in self.attributes if None in columns[name]]
        lacked = ("roll", "crop", "embedding", *unknown, *numbers)
        always = ("path", "face") if every_picture else tuple(name for name in types if name not in lacked)
        schema = pa.schema([pa.field(name, kind, name not in always) for name, kind in types.items()])
        if self.embeddings:
            schema = schema.with_metadata({"lineament.model.sha256": self.model})
        return pa.table(columns, schema=schema)

    def to_pandas(self, *, every_picture: bool = False, keys: list[str] | None = None) -> pandas.DataFrame:
        """:meth:`to_arrow` as a data frame."""
        return self.to_arrow(every_picture=every_picture, keys=keys).to_pandas()
