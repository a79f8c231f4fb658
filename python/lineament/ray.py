"""Many photos on many machines, with Ray Data (``pip install "lineament[ray]"``).

:func:`predict` writes numbered Parquet shards and resumes where a killed call ended; :class:`Predictor` is for custom pipelines.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import ray

from . import __version__
from .pictures import expand
from .results import Crops, Prediction, Predictions
from .tagger import Tagger

PICTURES = ("image", "bytes", "picture", "content")
KEYS = ("key", "id", "path", "name")


class Predictor:
    """A step of ``Dataset.map_batches``: images in, one row per face out; each actor loads the bundle once.

    It reads the column ``bytes`` (files, as ``ray.data.read_binary_files`` gives them) or ``image`` (arrays, as
    ``ray.data.read_images`` does), and ``path`` where there is one. The rows are those of
    ``Predictions.to_arrow(every_picture=True)``, with ``embeddings`` also a column of lists; an image that cannot be read has one that
    says why::

        pictures = ray.data.read_binary_files("photos/", include_paths=True)
        faces = pictures.map_batches(Predictor, batch_size=16, compute=ray.data.ActorPoolStrategy(size=2), batch_format="numpy")

    Give it files rather than arrays. ``read_images`` makes the numbers of a palette's colours of an image that has one, which look like
    a gray image: so arrays of one channel and eight bits are refused here. With ``mode="RGB"`` it gives colours, but 16 bits become white;
    and it never turns an image as its EXIF says.
    """

    def __init__(self, model: Any = None, threads: int = 1, *, embeddings: bool = False, **options: Any) -> None:
        self.tagger = Tagger(model, threads, **options)
        self.embeddings = embeddings

    def __call__(self, batch: dict[str, Any]) -> pa.Table:
        column = next((name for name in ("bytes", "image") if name in batch), None)
        if column is None:
            raise ValueError(f"pictures are read from a column `bytes` or `image`; there is {', '.join(batch)}")
        pictures = [_unambiguous(picture) for picture in batch[column]]
        keys = [str(path) for path in batch["path"]] if "path" in batch else None
        answers = self.tagger.predict(pictures, errors="return", embeddings=self.embeddings)
        return answers.to_arrow(every_picture=True, keys=keys)


def predict(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | bytes | None = None,
    concurrency: int | tuple[int, int] = 2,
    batch_size: int = 16,
    shard_rows: int = 1000,
    threads: int = 1,
    num_cpus: float | None = None,
    picture_column: str | None = None,
    key_column: str | None = None,
    embeddings: bool = False,
    crops: str | os.PathLike[str] | None = None,
    crop: Crops = Crops(),
    **options: Any,
) -> dict[str, int]:
    """Writes the faces in many photos to ``output/shard-000000.parquet`` and so on, over a Ray cluster.

    ``source`` is a folder (walked), a list of paths, or a Parquet file with a column of bytes and one of keys. All machines
    must see ``source`` and ``output`` under the same path. ``concurrency`` is the number of actors, or the least and the most; each
    loads the bundle once, uses ``threads`` threads and gets ``num_cpus`` (by default as many); it processes ``batch_size`` images
    at a time. With ``embeddings`` rows have the vectors of their faces; ``crops`` is a folder, seen by all machines too, for each face as an
    image, made as ``crop`` says: the column ``crop`` names its file, such as ``shard-000003/000017.face-1.jpg``. ``options`` go to :class:`Tagger` (``attributes``, ``operating_point``, ``smallest_face``, ``max_faces`` ...).

    ``source`` alone decides which photos a shard holds, and a shard gets its name when it is complete: work that is repeated because
    a machine failed writes the same file, and the same call resumes one that was killed. The rows are those of
    ``lineament predict --shards``. A hidden file beside ``output`` binds photos, model and options; a call with others raises
    ``ValueError``. Nothing but shards is in ``output``, so that it opens as one table. Returns the numbers of ``pictures``, ``faces``, ``unread`` pictures, ``shards`` and those that were there
    (``kept``).
    """
    folder = Path(output).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    listing = _Listing(source, picture_column, key_column)
    # Actors on other machines may not have the file.
    if model is not None and not isinstance(model, bytes):
        model = Path(model).read_bytes()
    probe = Tagger(model, 1, **options)
    crops = None if crops is None else Path(crops).absolute()
    made = {"embeddings": probe.embedding_length if embeddings else None, "crops": None if crops is None else list(crop.options())}
    _agree(folder, listing, probe, shard_rows, made)
    shards = list(listing.shards(folder, shard_rows))
    missing = [shard for shard in shards if not Path(shard["path"]).exists()]
    if missing:
        pending = ray.data.from_items(missing, override_num_blocks=len(missing))
        arguments = {
            "fn_constructor_kwargs": {
                "model": model,
                "threads": threads,
                "batch_size": batch_size,
                "embeddings": embeddings,
                "crops": None if crops is None else str(crops),
                "crop": crop,
                **options,
            },
            # A failed machine takes its actors with it: by Ray's defaults they restart elsewhere, and their shards are done again.
            "compute": _pool(concurrency),
            "batch_size": 1,
            "num_cpus": float(threads) if num_cpus is None else num_cpus,
        }
        for _ in pending.map_batches(_ShardWriter, **arguments).iter_rows():
            pass
    return _summary(shards, len(shards) - len(missing))


class _Listing:
    """The pictures of a call, in order."""

    def __init__(self, source: Any, picture: str | None, key: str | None) -> None:
        self.table: Path | None = None
        self.files: list[str] = []
        single = not isinstance(source, (list, tuple))
        if single and Path(source).suffix.lower() == ".parquet":
            self.table = Path(source).absolute()
            schema = pq.read_schema(self.table)
            self.columns = (_column(schema, picture, PICTURES), _column(schema, key, KEYS))
            self.rows = pq.read_metadata(self.table).num_rows
            return
        found = [os.path.abspath(path) for path in expand(source if single else list(source))]
        self.files = list(dict.fromkeys(found))
        self.rows = len(self.files)
        if not self.rows:
            raise ValueError(f"no picture was found in {source}; check the folder")

    def hash(self) -> str:
        if self.table is None:
            return hashlib.sha256("".join(f"{file}\0" for file in self.files).encode("utf-8", "surrogateescape")).hexdigest()
        size = self.table.stat().st_size
        with open(self.table, "rb") as file:
            # The footer holds position, size and bounds of every column chunk.
            file.seek(max(0, size - (64 << 10)))
            end = file.read()
        return hashlib.sha256("\0".join([*self.columns, str(size)]).encode() + end).hexdigest()

    def shards(self, folder: Path, rows: int) -> Iterator[dict[str, Any]]:
        for number, first in enumerate(range(0, self.rows, rows)):
            shard: dict[str, Any] = {"path": str(folder / f"shard-{number:06}.parquet")}
            if self.table is None:
                yield shard | {"files": self.files[first : first + rows]}
            else:
                yield shard | {"table": str(self.table), "columns": list(self.columns), "first": first, "rows": rows}


class _ShardWriter:
    """An actor: shards in, files out."""

    def __init__(
        self,
        model: bytes | None,
        threads: int,
        batch_size: int,
        embeddings: bool,
        crops: str | None,
        crop: Crops,
        **options: Any,
    ) -> None:
        self.tagger = Tagger(model, threads, **options)
        self.size = batch_size
        self.embeddings = embeddings
        self.folder = None if crops is None else Path(crops)
        self.crop = crop

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        shard = {name: column[0] for name, column in batch.items()}
        tables, row = [], 0
        crop = None if self.folder is None else self.crop
        for keys, pictures in self._pictures(shard):
            answers = self.tagger.predict(pictures, errors="return", embeddings=self.embeddings, crops=crop)
            names = None if self.folder is None else self._save_crops(answers, Path(shard["path"]).stem, row)
            tables.append(answers.to_arrow(every_picture=True, keys=keys, crops=names))
            row += len(answers)
        if not tables:
            nothing = self.tagger.predict([], errors="return", embeddings=self.embeddings)
            tables.append(nothing.to_arrow(every_picture=True, crops=None if self.folder is None else []))
        table = pa.concat_tables(tables)
        _write_whole(Path(shard["path"]), lambda file: pq.write_table(table, file))
        return {"path": [shard["path"]]}

    def _save_crops(self, answers: Predictions, shard: str, first: int) -> list[list[str]]:
        assert self.folder is not None
        ending = "jpg" if self.crop.format == "jpeg" else "png"
        (self.folder / shard).mkdir(parents=True, exist_ok=True)
        names: list[list[str]] = []
        for row, answer in enumerate(answers, first):
            faces = answer.faces if isinstance(answer, Prediction) else []
            names.append([f"{shard}/{row:06}.face-{number}.{ending}" for number in range(1, len(faces) + 1)])
            for face, name in zip(faces, names[-1]):
                path, data = self.folder / name, face.crop or b""
                if path.exists() and b"Lineament" not in path.read_bytes()[:256]:
                    raise ValueError(f"{path} is there already and was not made by Lineament; give another folder for crops")
                _write_whole(path, lambda file, data=data: file.write(data))
        return names

    def _pictures(self, shard: dict[str, Any]) -> Iterator[tuple[list[str], list[Any]]]:
        if "files" in shard:
            files = [str(file) for file in shard["files"]]
            for first in range(0, len(files), self.size):
                part = files[first : first + self.size]
                yield part, list(part)
            return
        picture, key = (str(column) for column in shard["columns"])
        first, last, at = int(shard["first"]), int(shard["first"]) + int(shard["rows"]), 0
        file = pq.ParquetFile(shard["table"])
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at < last and at + rows > first:
                for part in file.iter_batches(self.size, row_groups=[group], columns=[picture, key]):
                    inside = part.slice(max(0, first - at), max(0, min(last, at + len(part)) - max(first, at)))
                    at += len(part)
                    if len(inside):
                        cells = inside.column(inside.schema.get_field_index(picture)).to_pylist()
                        # Hugging Face's data sets hold images like this: a struct of bytes and path.
                        cells = [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]
                        keys = [str(name) for name in inside.column(inside.schema.get_field_index(key)).to_pylist()]
                        yield keys, [cell or b"" for cell in cells]
            else:
                at += rows


def _pool(actors: int | tuple[int, int]) -> ray.data.ActorPoolStrategy:
    if isinstance(actors, int):
        return ray.data.ActorPoolStrategy(size=actors)
    return ray.data.ActorPoolStrategy(min_size=actors[0], max_size=actors[1])


def _unambiguous(picture: Any) -> Any:
    """The image, or why an array may be something else than it seems."""
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and (picture.ndim == 2 or picture.ndim == 3 and picture.shape[2] > 4):
        return ValueError(
            "an array of one channel and eight bits may hold the numbers of a palette's colours, which ray.data.read_images does not say; "
            "use read_binary_files"
        )
    return picture


def _column(schema: pa.Schema, named: str | None, usual: tuple[str, ...]) -> str:
    wanted = usual if named is None else (named,)
    for name in wanted:
        if name in schema.names:
            return name
    raise ValueError(f"the table has no column {', '.join(wanted)}; name one (it has {', '.join(schema.names)})")


def _agree(folder: Path, listing: _Listing, tagger: Tagger, shard_rows: int, made: dict[str, Any]) -> None:
    own = {
        "format": 2,
        "program": f"python {__version__}",
        "pictures": listing.rows,
        "source": listing.hash(),
        "shard_rows": shard_rows,
        "model": tagger.hash,
        "attributes": tagger.attributes,
        "operating_point": tagger._arguments[2],
        "engine": tagger._arguments[4],
        **tagger._options._asdict(),
        "detector": tagger._arguments[6],
        # Earlier versions made neither, and did not say so.
        **made,
    }
    # Some readers of folders take even hidden files in them for tables. Earlier versions kept it there.
    before = folder / "manifest.json"
    path = before if before.exists() else folder.with_name(f".{folder.name}.lineament.json")
    if not path.exists():
        _write_whole(path, lambda file: file.write(json.dumps(own, indent=2).encode()))
        return
    there = json.loads(path.read_bytes())
    # What an earlier version did not know is what it did not do.
    differs = [name for name, value in own.items() if (there.get(name) or None) != (value or None)]
    if differs:
        raise ValueError(
            f"the shards in {folder} are of another run ({', '.join(differs)} differs); give another folder, or the pictures, model "
            "and options of that run"
        )


def _summary(shards: list[dict[str, Any]], kept: int) -> dict[str, int]:
    counts = {"pictures": 0, "faces": 0, "unread": 0, "shards": len(shards), "kept": kept}
    for shard in shards:
        rows = pq.read_table(shard["path"], columns=["face", "error"])
        faces, errors = rows["face"].to_pylist(), rows["error"]
        unread = len(errors) - errors.null_count
        counts["unread"] += unread
        counts["faces"] += sum(face > 0 for face in faces)
        counts["pictures"] += sum(face <= 1 for face in faces) - unread
    return counts


def _write_whole(path: Path, fill: Any) -> None:
    """A file that is complete or absent. Temporary names differ, since two machines may write the same shard at a time."""
    temporary = path.with_name(f".lineament-{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
