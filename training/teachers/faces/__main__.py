"""python -m faces {vectors,probabilities,anet} --data ../../../shared/data --recipe ../../recipes/compact.toml --output FILE"""

import argparse
import csv
import logging
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from . import probe, tables
from .augment import plain
from .begin import begin
from .features import Identity, Objects, features
from .images import CANVAS, TRAIN, VALIDATION, Face, attributes, canvas, collect
from .learn import Lessons, Schedule, learn, logits
from .net import ANet


def _tags(faces: list[Face], names: list[str]) -> np.ndarray:
    return np.array([face.tags or [np.nan] * len(names) for face in faces], np.float32)


def _tagged(faces: list[Face], part: int) -> np.ndarray:
    return np.array([place for place, face in enumerate(faces) if face.part == part and face.tags], int)


def _people(faces: list[Face]) -> np.ndarray:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(face.person, len(numbers)) for face in faces])


def _canvases(faces: list[Face], work: Path) -> np.ndarray:
    """N x 3 x CANVAS x CANVAS bytes, drawn once and then read from `work`."""
    stored = work / "canvases.npy"
    if not stored.exists():
        work.mkdir(parents=True, exist_ok=True)
        partial = stored.with_suffix(".partial.npy")
        canvases = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(faces), 3, CANVAS, CANVAS))
        for place, face in enumerate(faces):
            canvases[place] = canvas(face)
        canvases.flush()
        partial.replace(stored)
    return np.load(stored, mmap_mode="r")


def vectors(arguments: argparse.Namespace, recipe: dict, faces: list[Face]) -> None:
    """dlib's vector of every face: 128 numbers that are near for one person."""
    seen = features(Identity(recipe["region"]), Identity.name, faces, arguments.work)
    tables.write_vectors(faces, seen[:, -128:], arguments.data, arguments.output)


def probabilities(arguments: argparse.Namespace, recipe: dict, faces: list[Face]) -> None:
    """Probabilities of the attributes from what two finished nets see; of training faces by regressions that did not see their people."""
    names = attributes(arguments.data)
    seen = [features(look, look.name, faces, arguments.work) for look in (Identity(recipe["region"]), Objects())]
    tags, train, validation = _tags(faces, names), _tagged(faces, TRAIN), _tagged(faces, VALIDATION)
    said = probe.probabilities(seen, tags, train, _people(faces))
    if arguments.weights:
        net = ANet(recipe, len(names))
        net.load(arguments.weights)
        said = probe.mixed(said, logits(net, _canvases(faces, arguments.work)).numpy())
    for part, places in (("training", train), ("validation", validation)):
        if len(places):
            logging.info("%s: mean accuracy %.4f", part, ((said[places] > 0.5) == (tags[places] > 0.5)).mean())
    kept = [place for place, face in enumerate(faces) if face.part == TRAIN]
    tables.write_probabilities([faces[place] for place in kept], names, said[kept], arguments.data, arguments.output)


def _read(path: Path | None, faces: list[Face], data: Path, names: list[str] | None) -> torch.Tensor | None:
    """A table in the order of the faces: the columns `names`, or the vector."""
    if path is None:
        return None
    table = pq.read_table(path)
    values = np.stack([table[name].to_numpy() for name in names], 1) if names else np.stack(table["vector"].to_pylist())
    rows = dict(zip(table["path"].to_pylist(), values))
    none = np.full(values.shape[1], np.nan)
    return torch.from_numpy(np.stack([rows.get(str(face.path.relative_to(data)), none) for face in faces]).astype(np.float32))


def _scores(data: Path, faces: list[Face], names: list[str]) -> torch.Tensor | None:
    """What the data set itself brings: another model's probabilities for LFW, by file name."""
    path = data / "lfw" / "facer_scores.csv"
    if not path.exists():
        return None
    with path.open(newline="") as file:
        rows = {row["file"]: [float(row[name]) for name in names] for row in csv.DictReader(file)}
    none = [np.nan] * len(names)
    return torch.tensor([rows.get(face.path.name, none) if not face.tags else none for face in faces])


def anet(arguments: argparse.Namespace, recipe: dict, faces: list[Face]) -> None:
    """ANet, from tags and from tables of what other models say."""
    names, data = attributes(arguments.data), arguments.data
    net = ANet(recipe, len(names))
    if arguments.weights:
        net.load(arguments.weights)
    lessons = Lessons(
        _canvases(faces, arguments.work),
        torch.from_numpy(_tags(faces, names)),
        _read(arguments.probabilities, faces, data, names),
        _scores(data, faces, names),
        _read(arguments.vectors, faces, data, None),
        _tagged(faces, TRAIN),
        np.array([place for place, face in enumerate(faces) if not face.tags], int),
        _tagged(faces, VALIDATION),
    )
    if arguments.from_dlib:
        few = torch.from_numpy(lessons.canvases[lessons.train[:: max(1, len(lessons.train) // 256)]])
        logging.info("%d convolutions begin as dlib's", begin(net, plain(few, net.side, net.patch, False)))
    schedule = Schedule(arguments.steps, arguments.rate, arguments.seed)
    learn(net, lessons, schedule, arguments.work / "anet.checkpoint").save(arguments.output)


def main() -> None:
    parser = argparse.ArgumentParser(prog="faces", description="Teachers' tables of faces, and an ANet that learns from them; a run that was interrupted goes on.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run in (vectors, probabilities, anet):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--data", type=Path, required=True, help="folder with celeba, lfw and the other sets")
        command.add_argument("--recipe", type=Path, required=True, help="recipe whose region (and ANet) is meant")
        command.add_argument("--found", type=Path, help="faces of un-cropped photos: JSON Lines of `lineament predict`")
        command.add_argument("--output", type=Path, required=True, help="the file to write")
        command.add_argument("--work", type=Path, default=Path("runs/faces"), help="folder for what an interrupted run goes on from")
        command.add_argument("--threads", type=int, default=1)
        command.add_argument("--seed", type=int, default=1)
        if run is probabilities:
            command.add_argument("--weights", type=Path, help="an ANet (an output of the command `anet`) whose opinion counts as much as the regression's")
        if run is anet:
            command.add_argument("--probabilities", type=Path, help="table of the command `probabilities`")
            command.add_argument("--vectors", type=Path, help="table of the command `vectors`")
            beginning = command.add_mutually_exclusive_group()
            beginning.add_argument("--weights", type=Path, help="begin from these (an earlier output)")
            beginning.add_argument("--from-dlib", action="store_true", help="begin with the first blocks of dlib's net, where the recipe's ANet has their shapes")
            command.add_argument("--steps", type=int, default=30_000)
            command.add_argument("--rate", type=float, default=1e-3)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    with arguments.recipe.open("rb") as file:
        recipe = tomllib.load(file)
    arguments.run(arguments, recipe, collect(arguments.data, recipe, arguments.found))


main()
