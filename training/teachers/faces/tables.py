"""Tables that a recipe's `[distillation]` reads: Parquet with a column `path`, and probabilities or a vector."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .images import Face


def _write(table: pa.Table, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(output)


def _paths(faces: list[Face], data: Path) -> pa.Array:
    return pa.array([str(face.path.relative_to(data)) for face in faces])


def write_vectors(faces: list[Face], vectors: np.ndarray, data: Path, output: Path) -> None:
    """A vector (N x K) a face; paths are relative to the data folder."""
    kind = pa.list_(pa.float32())
    column = pa.array(list(vectors.astype(np.float32)), kind)
    _write(pa.table({"path": _paths(faces, data), "vector": column}), output)


def write_probabilities(faces: list[Face], names: list[str], values: np.ndarray, data: Path, output: Path) -> None:
    """Probabilities (N x attributes) a face."""
    columns = {name: pa.array(values[:, place].astype(np.float32)) for place, name in enumerate(names)}
    _write(pa.table({"path": _paths(faces, data), **columns}), output)
