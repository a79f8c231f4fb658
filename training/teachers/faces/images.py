"""The faces to learn from: where the square region of each lies, and what is known of it."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# A canvas shows more than the region, so that augmentation can shift, grow and turn it.
CANVAS, ZOOM = 160, 1.5

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass
class Face:
    """One face: a square region (center and side, in pixels of the file), five landmarks where they are known, tags (1, 0; none where unknown)."""

    path: Path
    region: tuple[float, float, float]
    landmarks: np.ndarray | None
    tags: list[float] | None
    part: int
    person: str


def of_landmarks(marks: np.ndarray, region: dict) -> tuple[float, float, float]:
    """The recipe's region of five landmarks (5 x 2), as `Region::of_landmarks` of the library draws it."""
    eyes, mouth = marks[:2].mean(0), marks[3:].mean(0)
    reach = max(math.dist(eyes, mouth), region["eyes"] * math.dist(marks[0], marks[1]))
    return eyes[0], eyes[1] + region["drop"] * reach, region["span"] * reach


def of_box(box: dict, region: dict) -> tuple[float, float, float]:
    """The recipe's region of a face box, as `Region::of_box` draws it."""
    height = box["height"]
    return box["x"] + box["width"] / 2, box["y"] + height / 2 + region["shift"] * height, region["enlarge"] * height


def _table(path: Path, header: int) -> dict[str, list[str]]:
    lines = path.read_text().split("\n")[header:] if path.exists() else []
    return {name: values for name, *values in (line.split() for line in lines if line.strip())}


def attributes(data: Path) -> list[str]:
    """The attributes of CelebA, in its order."""
    return (data / "celeba" / "Anno" / "list_attr_celeba.txt").read_text().split("\n")[1].split()


def _celeba(folder: Path, recipe: dict, found: dict[str, dict]) -> list[Face]:
    annotations, faces = folder / "Anno", []
    parts = _table(folder / "Eval" / "list_eval_partition.txt", 0)
    people = _table(annotations / "identity_CelebA.txt", 0)
    marked = _table(annotations / "list_landmarks_align_celeba.txt", 2)
    frame = recipe["frames"]["celeba"]
    for name, values in _table(annotations / "list_attr_celeba.txt", 2).items():
        part = int(parts[name][0])
        if part == TEST:
            continue
        tags, person = [float(value == "1") for value in values], f"celeba {people[name][0]}"
        path, marks = folder / "Img" / "img_align_celeba" / name, None
        if path.exists():
            width, height = Image.open(path).size
            region = (width / 2, frame["centre"] * height, frame["side"] * height)
            if name in marked:
                marks = np.array(marked[name], float).reshape(5, 2)
                region = of_landmarks(marks, recipe["region"])
        elif name in found:
            path, region = folder / "Img" / "img_celeba" / name, of_box(found[name], recipe["region"])
        else:
            continue
        faces.append(Face(path, region, marks, tags, part, person))
    return faces


def _lfw(folder: Path, frame: dict) -> list[Face]:
    faces = []
    for path in sorted((folder / "lfw").glob("*/*.jpg")):
        width, height = Image.open(path).size
        region = (width / 2, frame["centre"] * height, frame["side"] * height)
        faces.append(Face(path, region, None, None, TRAIN, f"lfw {path.parent.name}"))
    return faces


def collect(data: Path, recipe: dict, found: Path | None) -> list[Face]:
    """Faces of the training and validation parts, each image once; of LFW without tags. None of a test part.

    Of photos, `found` says where LNets found the face: JSON Lines of `lineament predict`. Landmarks place the region in images that were cropped with the
    help of such; no LNet learns from them.
    """
    boxes: dict[str, dict] = {}
    for line in found.read_text().splitlines() if found else []:
        row = json.loads(line)
        if row.get("faces"):
            boxes[Path(row["path"]).name] = max(row["faces"], key=lambda face: face["score"])["box"]
    faces = []
    for folder in sorted(data.glob("celeba*")):
        if (folder / "Anno" / "list_attr_celeba.txt").exists():
            faces += _celeba(folder, recipe, boxes)
    return faces + _lfw(data / "lfw", recipe["frames"]["lfw"])


def canvas(face: Face) -> np.ndarray:
    """`ZOOM` regions about the face, 3 x CANVAS x CANVAS bytes; beyond the image its edge is repeated."""
    x, y, side = face.region
    side *= ZOOM
    pixels = np.asarray(Image.open(face.path).convert("RGB"))
    left, top, right, bottom = x - side / 2, y - side / 2, x + side / 2, y + side / 2
    margin = int(max(0, -left, -top, right - pixels.shape[1], bottom - pixels.shape[0])) + 3
    padded = Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge"))
    box = tuple(edge + margin for edge in (left, top, right, bottom))
    return np.asarray(padded.resize((CANVAS, CANVAS), Image.BILINEAR, box=box)).transpose(2, 0, 1)


def sample(canvases: torch.Tensor, frames: torch.Tensor, side: int) -> torch.Tensor:
    """What `frames` (N x 2 x 3, from a square of -1 to 1 to the canvas) show, N x 3 x side x side from 0 to 1."""
    grid = torch.nn.functional.affine_grid(frames, (len(canvases), 3, side, side), align_corners=False)
    values = canvases.float() / 255
    return torch.nn.functional.grid_sample(values, grid, padding_mode="border", align_corners=False)


def upright(count: int, zoom: float = 1.0) -> torch.Tensor:
    """Frames of the region itself, or of `zoom` regions."""
    scale = zoom / ZOOM
    return torch.tensor([[scale, 0, 0], [0, scale, 0]]).expand(count, 2, 3)
