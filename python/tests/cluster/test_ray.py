"""A real Ray cluster of two nodes on this machine, one of which is killed in mid-run."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lineament
import lineament.ray as many
import ray
from ray.cluster_utils import Cluster

EXAMPLES = Path(__file__).parents[3] / "examples"
STORE = 80 << 20

# What the next releases drop is not used.
pytestmark = pytest.mark.filterwarnings("error::ray.util.annotations.RayDeprecationWarning", "error::DeprecationWarning:lineament")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures, one of them broken."""
    folder = tmp_path_factory.mktemp("pictures")
    names = ("astronaut.png", "chelsea.png", "coffee.png")
    for place in range(39):
        shutil.copy(EXAMPLES / names[place % 3], folder / f"{place:02}-{names[place % 3]}")
    (folder / "39-broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def alone(pictures: Path) -> pa.Table:
    """The rows of one machine."""
    paths = [str(path) for path in sorted(pictures.iterdir())]
    return lineament.Tagger(threads=2).predict(paths, errors="return").to_arrow(every_picture=True)


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False})
    cluster.other = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    ray.init(address=cluster.address, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def written(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.read_table(path) for path in sorted(folder.glob("shard-*.parquet")))


def test_a_node_that_dies_costs_no_row(cluster, pictures, alone, tmp_path):
    killed = threading.Event()

    def kill() -> None:
        # In mid-run: some shards are there, and most are not.
        while len(list(tmp_path.glob("shard-*.parquet"))) < 4:
            time.sleep(0.02)
        cluster.remove_node(cluster.other, allow_graceful=False)
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    told = many.predict(pictures, tmp_path, concurrency=(1, 2), shard_rows=2, batch_size=2)
    assert killed.is_set(), "the run was over before the node was killed"
    # It is noticed after the third health check that fails.
    end = time.monotonic() + 60
    while len(alive := [node for node in ray.nodes() if node["Alive"]]) > 1 and time.monotonic() < end:
        time.sleep(0.5)
    assert len(alive) == 1
    assert told == {"pictures": 39, "faces": 13, "unread": 1, "shards": 20, "kept": 0}
    assert written(tmp_path).equals(alone)


def test_what_is_there_is_not_done_again(cluster, pictures, alone, tmp_path):
    many.predict(pictures, tmp_path, concurrency=1, shard_rows=10)
    shards = sorted(tmp_path.glob("shard-*.parquet"))
    kept = {path: path.stat().st_mtime_ns for path in shards[:3]}
    shards[3].unlink()
    told = many.predict(pictures, tmp_path, concurrency=1, shard_rows=10)
    assert (told["shards"], told["kept"]) == (4, 3)
    assert {path: path.stat().st_mtime_ns for path in shards[:3]} == kept
    assert written(tmp_path).equals(alone)
    with pytest.raises(ValueError, match="shard_rows differ"):
        many.predict(pictures, tmp_path, shard_rows=5)
    with pytest.raises(ValueError, match="max_faces differ"):
        many.predict(pictures, tmp_path, shard_rows=10, max_faces=1)
    with pytest.raises(ValueError, match="source differ"):
        many.predict(sorted(pictures.iterdir())[::-1], tmp_path, shard_rows=10)


def test_a_table_of_pictures_gives_the_same_rows(cluster, pictures, alone, tmp_path):
    paths = sorted(pictures.iterdir())
    table = pa.table({"id": [str(path) for path in paths], "image": [path.read_bytes() for path in paths]})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=7)
    many.predict(tmp_path / "in.parquet", tmp_path / "out", concurrency=1, shard_rows=9, batch_size=4)
    rows = written(tmp_path / "out")
    without = lambda table: table.drop_columns(["error"])  # noqa: E731
    assert without(rows).equals(without(alone))
    assert sum(error is not None for error in rows["error"].to_pylist()) == 1


def test_shards_hold_embeddings_and_name_crops(cluster, pictures, tmp_path):
    some = sorted(pictures.iterdir())[:5]
    made = {"embeddings": True, "crops": tmp_path / "crops", "crop": lineament.Crops(side=40)}
    many.predict(some, tmp_path / "out", concurrency=1, shard_rows=2, batch_size=1, **made)
    rows = written(tmp_path / "out").to_pylist()
    tagger = lineament.Tagger(threads=1)
    with_face = [row for row in rows if row["face"]]
    assert [row["crop"] for row in with_face] == ["shard-000000/000000.face-1.jpg", "shard-000001/000001.face-1.jpg"]
    for row in with_face:
        assert np.asarray(row["embedding"], np.float32).tobytes() == tagger.embed(row["path"])
        assert PIL.Image.open(tmp_path / "crops" / row["crop"]).size == (40, 40)
    assert all(row["crop"] is None and row["embedding"] is None for row in rows if not row["face"])
    with pytest.raises(ValueError, match="embeddings, crops differ"):
        many.predict(some, tmp_path / "out", shard_rows=2)


# One processor is left by now, which reading and predicting share.
ONE = {"batch_size": 3, "compute": ray.data.ActorPoolStrategy(size=1), "batch_format": "numpy", "num_cpus": 0.5}


def rows(dataset: ray.data.Dataset) -> pd.DataFrame:
    return dataset.map_batches(many.Predictor, **ONE).to_pandas().sort_values(["path", "face"], ignore_index=True)


def test_a_pipeline_of_ones_own_takes_the_predictor(cluster, pictures, alone):
    good = [str(path) for path in sorted(pictures.glob("*.png"))[:6]]
    told = rows(ray.data.read_binary_files(good, include_paths=True, num_cpus=0.25))
    assert told["path"].to_list() == good
    same = rows(ray.data.read_images(good, include_paths=True, mode="RGB", num_cpus=0.25))
    assert same["face"].to_list() == told["face"].to_list()
    assert same["Smiling_probability"].dropna().to_list() == told["Smiling_probability"].dropna().to_list()


def test_arrays_of_every_kind_are_read_or_refused_one_by_one(cluster, tmp_path):
    image = PIL.Image.open(EXAMPLES / "astronaut.png").convert("RGB")
    wide = PIL.Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * np.uint16(257))
    kinds = {"rgb": image, "rgba": image.convert("RGBA"), "la": image.convert("LA"), "grey": image.convert("L"), "palette": image.quantize(64)}
    # Ray puts values of one width into a block only.
    for folder, inside in (("8", kinds), ("16", {"wide": wide, "also": wide})):
        (tmp_path / folder).mkdir()
        for name, kind in inside.items():
            kind.save(tmp_path / folder / f"{name}.png")
    images = ray.data.read_images(str(tmp_path / "8"), include_paths=True, num_cpus=0.25)
    # In blocks of one, and in one block, in which Ray gives all arrays the same number of axes.
    for told in (rows(images), rows(images.repartition(1))):
        errors = {Path(path).stem: error for path, error in zip(told["path"], told["error"]) if isinstance(error, str)}
        assert set(errors) == {"grey", "palette"} and all("palette" in error for error in errors.values()), errors
        assert {Path(path).stem for path, face in zip(told["path"], told["face"]) if face} == {"rgb", "rgba", "la"}
    wides = rows(ray.data.read_images(str(tmp_path / "16"), include_paths=True, num_cpus=0.25).repartition(1))
    assert wides["face"].to_list() == [1, 1]
    # As the refusal says.
    told = rows(ray.data.read_binary_files([str(path) for path in tmp_path.glob("*/*.png")], include_paths=True, num_cpus=0.25))
    assert told["error"].isna().all()
    assert {Path(path).stem for path, face in zip(told["path"], told["face"]) if face} >= {*kinds, "wide", "also"}
