"""Windows cut from images: of framed faces with their tags, and of images without a face."""

import math
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# Windows are kept on canvases that show more than the window, so that augmentation can shift, grow and turn it.
FACE_CANVAS, FACE_ZOOM = 96, 1.9
EMPTY_CANVAS, EMPTY_ZOOM = 64, 1.45

# Classes of Tiny-ImageNet that show people: their images are no examples of "no face".
PEOPLE = frozenset(
    "n02669723 n02730930 n02788148 n02791270 n02802426 n02837789 n02883205 n02892201 n02906734 n02963159 n02977058 n02999410 "
    "n03026506 n03250847 n03255030 n03355925 n03388043 n03424325 n03444034 n03447447 n03599486 n03617480 n03733131 n03763968 "
    "n03770439 n03814639 n03838899 n03854065 n03902125 n03976657 n03980874 n04023962 n04099969 n04118538 n04149813 n04251144 "
    "n04254777 n04259630 n04356056 n04366367 n04371430 n04465501 n04501370 n04507155 n04532106 n04540053 n04562935 n06596364".split()
)

_MASK = (1 << 64) - 1
_SPLIT_SEED = 20_150_929  # DEFAULT_SPLIT_SEED of lineament-data: both sides must leave the same images out


def _mix(value: int) -> int:
    z = (value + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def split(name: str, validation: float = 0.3, test: float = 0.2) -> str:
    """The part that `lineament-data` draws for an image of a folder without faces, by its name."""
    state = _mix(_SPLIT_SEED ^ 0x6C69_6E65_616D_656E)
    for byte in name.encode():
        state = _mix(state ^ byte)
    drawn = (state >> 11) / 2**53
    return "test" if drawn < test else "validation" if drawn < test + validation else "train"


def without_faces(data: Path, part: str) -> list[Path]:
    """Images of the folders `background*` that belong to a part."""
    folders = sorted(path for path in data.glob("background*") if path.is_dir())
    return [path for folder in folders for path in sorted(folder.iterdir()) if split(path.name) == part]


def objects(data: Path) -> list[Path]:
    """Images of object classes that show no people."""
    classes = sorted((data / "tiny-imagenet-200" / "train").iterdir())
    return [path for one in classes if one.name not in PEOPLE for path in sorted(one.glob("images/*.JPEG"))]


def celeba(data: Path) -> list[Path]:
    """The CelebA folders under `data`."""
    return [path for path in sorted(data.glob("celeba*")) if (path / "Anno" / "list_attr_celeba.txt").exists()]


def partition(folder: Path) -> dict[str, int]:
    """The official part of each file: 0 train, 1 validation, 2 test."""
    lines = (folder / "Eval" / "list_eval_partition.txt").read_text().split("\n")
    return {name: int(part) for name, part in (line.split() for line in lines if line.strip())}


def tagged_photos(data: Path) -> list[Path]:
    """Training photos with a face, as they were taken: un-cropped CelebA, and photos that are tagged "there is a face" and no more."""
    found = []
    for folder in celeba(data):
        parts, photos = partition(folder), folder / "Img" / "img_celeba"
        if photos.is_dir():
            found += [path for path in sorted(photos.iterdir()) if parts.get(path.name) == 0]
    tagged = data / "wider_photos"
    return found + (sorted(tagged.iterdir()) if tagged.is_dir() else [])


def portraits(data: Path) -> list[Path]:
    """LFW's images, for what an LNet itself finds in them."""
    return sorted((data / "lfw" / "lfw").glob("*/*.jpg"))


def canvas(image: Image.Image, center: tuple[float, float], side: float, size: int, zoom: float, roll: float = 0.0) -> np.ndarray:
    """`zoom` windows of `side` about `center`, turned by `roll` radians so that the head stands upright: size x size x 4.

    The fourth channel is 255 inside the image and 0 beyond it.
    """
    step = side * zoom / size
    if step > 1.5:
        # Shrink first: one bilinear sample would skip most pixels.
        small = image.resize((max(1, round(image.width / step)), max(1, round(image.height / step))), Image.BOX)
        across, down = small.width / image.width, small.height / image.height
    else:
        small, across, down = image, 1.0, 1.0
    c, s, half = math.cos(roll) * step, math.sin(roll) * step, size / 2
    x, y = center
    rows = (c * across, -s * across, (x - (c - s) * half) * across, s * down, c * down, (y - (s + c) * half) * down)
    seen = small.transform((size, size), Image.AFFINE, rows, Image.BILINEAR)
    inside = Image.new("L", small.size, 255).transform((size, size), Image.AFFINE, rows, Image.NEAREST)
    return np.concatenate([np.asarray(seen), np.asarray(inside)[..., None]], 2)


def stack(canvases: list[np.ndarray]) -> torch.Tensor | None:
    """Canvases as one N x C x H x W tensor of bytes; none where there are none."""
    if not canvases:
        return None
    return torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2).contiguous()


def framed(data: Path, frames: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Aligned training images on canvases about the window that `frames` describes, and their tags (N x attributes)."""
    frame = frames["celeba"]
    faces, tags = [], []
    for folder in celeba(data):
        parts = partition(folder)
        lines = (folder / "Anno" / "list_attr_celeba.txt").read_text().split("\n")[2:]
        for name, *values in (line.split() for line in lines if line.strip()):
            path = folder / "Img" / "img_align_celeba" / name
            if parts.get(name) != 0 or not path.exists():
                continue
            image = Image.open(path).convert("RGB")
            center = (image.width / 2, frame["centre"] * image.height)
            faces.append(canvas(image, center, frame["side"] * image.height, FACE_CANVAS, FACE_ZOOM))
            tags.append([float(value == "1") for value in values])
    return stack(faces), torch.tensor(tags)


def faceless(data: Path, seed: int, each: int = 60, objects_each: int = 90) -> torch.Tensor:
    """Windows of images without a face: random ones of photos, whole images of objects."""
    drawn, found = random.Random(seed), []
    for path in without_faces(data, "train"):
        image = Image.open(path).convert("RGB")
        for _ in range(each):
            side = math.exp(drawn.uniform(math.log(20), math.log(1.3 * max(image.size))))
            x, y = (drawn.uniform(*sorted((0.4 * side, length - 0.4 * side))) for length in image.size)
            found.append(canvas(image, (x, y), side / EMPTY_ZOOM, EMPTY_CANVAS, EMPTY_ZOOM)[..., :3])
    seen: dict[Path, int] = {}
    for path in objects(data):
        seen[path.parent] = seen.get(path.parent, 0) + 1
        if seen[path.parent] <= objects_each:
            found.append(np.asarray(Image.open(path).convert("RGB").resize((EMPTY_CANVAS, EMPTY_CANVAS))))
    return stack(found)
