"""How training faces are changed: moved, turned, recolored, covered, and made as small, dark and noisy as those of photos."""

import math
import random

import torch
import torch.nn.functional as F

from .images import ZOOM, sample


def _between(count: int, low: float, high: float) -> torch.Tensor:
    return torch.empty(count).uniform_(low, high)


def _some(count: int, share: float) -> torch.Tensor:
    return torch.rand(count) < share


def _chosen(count: int, share: float) -> list[int]:
    return torch.where(_some(count, share))[0].tolist()


def _frames(count: int, patch: float) -> torch.Tensor:
    angle = torch.where(_some(count, 0.08), _between(count, -35, 35), _between(count, -10, 10)) * (math.pi / 180)
    scale, stretch = _between(count, -0.13, 0.13).exp() * patch / ZOOM, _between(count, -0.04, 0.04).exp()
    mirror = torch.where(_some(count, 0.5), -1.0, 1.0)
    c, s = angle.cos() * scale, angle.sin() * scale
    right, down = _between(count, -0.1, 0.1) / ZOOM, _between(count, -0.1, 0.1) / ZOOM
    rows = (torch.stack([mirror * stretch * c, -s / stretch, right], 1), torch.stack([mirror * stretch * s, c / stretch, down], 1))
    return torch.stack(rows, 1)


def _light(x: torch.Tensor) -> torch.Tensor:
    count = len(x)

    def column(values: torch.Tensor) -> torch.Tensor:
        return values.view(-1, 1, 1, 1)

    gain = _between(count, 0.8, 1.2) * torch.where(_some(count, 0.1), _between(count, -1.2, 0.4).exp(), torch.ones(count))
    tint = torch.where(column(_some(count, 0.2)), torch.empty(count, 3, 1, 1).uniform_(0.88, 1.12), torch.ones(count, 3, 1, 1))
    x = x * column(gain) * tint
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * column(_between(count, 0.8, 1.2)) + mean
    saturation = torch.where(_some(count, 0.03), torch.zeros(count), _between(count, 0.75, 1.25))
    grey = x.mean(1, keepdim=True)
    return (x - grey) * column(saturation) + grey


def _worsen(x: torch.Tensor) -> None:
    """Few pixels, blur and noise, in place."""
    side = x.shape[-1]
    for one in _chosen(len(x), 0.2):
        few = int(math.exp(random.uniform(math.log(14), math.log(0.9 * side))))
        small = F.interpolate(x[one : one + 1], (few, few), mode="bilinear", antialias=True)
        x[one : one + 1] = F.interpolate(small, (side, side), mode="bilinear")
    for one in _chosen(len(x), 0.07):
        reach = random.choice([1, 2])
        x[one : one + 1] = F.avg_pool2d(F.pad(x[one : one + 1], (reach,) * 4, mode="replicate"), 2 * reach + 1, 1)
    for one in _chosen(len(x), 0.1):
        x[one] += torch.randn_like(x[one]) * random.uniform(0, 0.06)


def _cover(x: torch.Tensor) -> None:
    """A rectangle or a border of one color, in place."""
    side = x.shape[-1]
    for one in _chosen(len(x), 0.15):
        area, aspect = random.uniform(0.02, 0.15) * side * side, math.exp(random.uniform(-1.1, 1.1))
        height, width = (min(side, int(math.sqrt(length))) for length in (area * aspect, area / aspect))
        top, left = random.randint(0, side - height), random.randint(0, side - width)
        x[one, :, top : top + height, left : left + width] = torch.rand(3, 1, 1)
    for one in _chosen(len(x), 0.1):
        depth, edge = int(random.random() * 0.15 * side), random.choices(range(4), (3, 1, 1, 1))[0]
        rows = (slice(0, depth), slice(side - depth, side), slice(None), slice(None))[edge]
        columns = (slice(None), slice(None), slice(0, depth), slice(side - depth, side))[edge]
        if depth:
            x[one, :, rows, columns] = torch.rand(3, 1, 1)


def changed(canvases: torch.Tensor, side: int, patch: float) -> torch.Tensor:
    """Bytes N x 3 x CANVAS x CANVAS -> N x 3 x side x side from 0 to 1, which show about `patch` of the region's side."""
    x = _light(sample(canvases, _frames(len(canvases), patch), side))
    _worsen(x)
    _cover(x)
    return x.clamp(0, 1)


def plain(canvases: torch.Tensor, side: int, patch: float, mirrored: bool) -> torch.Tensor:
    """The middle patch of the region, as it is or mirrored."""
    scale = patch / ZOOM
    frames = torch.tensor([[-scale if mirrored else scale, 0, 0], [0, scale, 0]]).expand(len(canvases), 2, 3)
    return sample(canvases, frames, side)
