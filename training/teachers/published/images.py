"""Whole photos and what is tagged of them, and the views that an LNet is shown."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from lnets.windows import celeba, partition, without_faces

# Photos are kept as squares of this side in pixels, their edges repeated beside the shorter side.
SIDE = 224


@dataclass
class Photos:
    """Squares (N x 3 x SIDE x SIDE, bytes) and, where they show a face, their tags (N x attributes)."""

    squares: torch.Tensor
    tags: torch.Tensor


def square(path: Path) -> np.ndarray:
    """A photo as a square: the longest side fills it."""
    image = Image.open(path).convert("RGB")
    scale = SIDE / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    pixels = np.asarray(image.resize((width, height), Image.BOX if scale < 0.5 else Image.BILINEAR))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    return np.pad(pixels, ((top, SIDE - height - top), (left, SIDE - width - left), (0, 0)), "edge")


def squares(paths: list[Path]) -> torch.Tensor:
    return torch.from_numpy(np.stack([square(path) for path in paths])).permute(0, 3, 1, 2).contiguous()


def tagged(data: Path) -> Photos:
    """Un-cropped CelebA photos of the training part and their forty tags. No box and no landmark is read."""
    paths, tags = [], []
    for folder in celeba(data):
        parts, photos = partition(folder), folder / "Img" / "img_celeba"
        lines = (folder / "Anno" / "list_attr_celeba.txt").read_text().split("\n")[2:]
        for name, *values in (line.split() for line in lines if line.strip()):
            if parts.get(name) == 0 and (photos / name).exists():
                paths.append(photos / name)
                tags.append([float(value == "1") for value in values])
    return Photos(squares(paths), torch.tensor(tags))


def empty(data: Path) -> torch.Tensor:
    """Images without a face, those of the training part."""
    return squares(without_faces(data, "train"))


def whole(count: int) -> torch.Tensor:
    """Regions (center across, center down, side, in shares of the square) that are the whole of it."""
    return torch.tensor([0.5, 0.5, 1.0]).expand(count, 3)


def views(squares: torch.Tensor, regions: torch.Tensor, side: int) -> torch.Tensor:
    """Regions of squares, `side` pixels large, from 0 to 1; beyond the square its edge is repeated."""
    frames = torch.zeros(len(regions), 2, 3)
    frames[:, 0, 0] = frames[:, 1, 1] = regions[:, 2]
    frames[:, :, 2] = 2 * regions[:, :2] - 1
    # At twice the size and then averaged, so that no pixel is skipped.
    grid = F.affine_grid(frames, (len(regions), 3, 2 * side, 2 * side), align_corners=False)
    seen = F.grid_sample(squares.float() / 255, grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(seen, 2)


def changed(regions: torch.Tensor, scale: tuple[float, float], shift: float) -> torch.Tensor:
    """Regions resized by a factor between two and moved by up to `shift` of their side."""
    factor = torch.exp(torch.empty(len(regions)).uniform_(*(math.log(end) for end in scale)))
    moved = regions[:, :2] + regions[:, 2:] * torch.empty(len(regions), 2).uniform_(-shift, shift)
    return torch.cat([moved, (regions[:, 2] * factor)[:, None]], 1)


def coloured(seen: torch.Tensor) -> torch.Tensor:
    """Views mirrored by chance, with other brightness and contrast."""
    mirrored = torch.rand(len(seen)) < 0.5
    seen = torch.where(mirrored[:, None, None, None], seen.flip(3), seen)
    contrast, light = (torch.empty(len(seen), 1, 1, 1).uniform_(-0.2, 0.2) for _ in range(2))
    return ((seen - 0.5) * (1 + contrast) + 0.5 + light).clamp(0, 1)
