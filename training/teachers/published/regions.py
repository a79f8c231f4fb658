"""Where an LNet_o responds in training photos: the head-shoulder regions that LNet_s learns from."""

import torch
from torch.nn import functional as F

from .images import views, whole
from .nets import LNet

# Sides of the square windows that are tried, in shares of the photo's longest side.
SIDES = (0.2, 0.25, 0.3, 0.37, 0.45, 0.55, 0.67, 0.8, 1.0)
# Places of the map that is laid over the photo.
GRID = 56


@torch.inference_mode()
def responses(net: LNet, squares: torch.Tensor, side: int) -> torch.Tensor:
    """Averaged responses to whole photos: N x GRID x GRID."""
    net.eval()
    parts = [net(views(some, whole(len(some)), side)).mean(1, keepdim=True) for some in squares.split(64)]
    return F.interpolate(torch.cat(parts), (GRID, GRID), mode="nearest")[:, 0]


def best(maps: torch.Tensor, power: float) -> torch.Tensor:
    """For each map the square whose sum of responses over its size to the power is largest: N x 3, as views take it."""
    sums = F.pad(maps.double().cumsum(1).cumsum(2), (1, 0, 1, 0))
    top, found = torch.full((len(maps),), -1.0, dtype=torch.double), torch.zeros(len(maps), 3)
    for share in SIDES:
        cells = round(share * GRID)
        inside = sums[:, cells:, cells:] - sums[:, :-cells, cells:] - sums[:, cells:, :-cells] + sums[:, :-cells, :-cells]
        score, place = (inside / cells ** (2 * power)).flatten(1).max(1)
        columns = GRID - cells + 1
        center = torch.stack([place % columns, place // columns], 1) + cells / 2
        here = torch.cat([center / GRID, torch.full((len(maps), 1), share)], 1).float()
        better = score > top
        top, found = torch.where(better, score, top), torch.where(better[:, None], here, found)
    return found


def beside(regions: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smaller squares that don't meet the regions, as far from them as of 32 drawn ones: their photos, and N x 3.

    LNet_o found no face there. A photo that its region fills has none.
    """
    drawn = torch.Generator().manual_seed(seed)
    side = (0.6 * regions[:, 2:]).clamp(max=0.4)
    tried = 0.1 + 0.8 * torch.rand(32, len(regions), 2, generator=drawn)
    apart, place = ((tried - regions[:, :2]).abs().amax(2) / ((regions[:, 2] + side[:, 0]) / 2)).max(0)
    chosen = tried.gather(0, place[None, :, None].expand(1, -1, 2))[0]
    clear = (apart >= 1).nonzero()[:, 0]
    return clear, torch.cat([chosen, side], 1)[clear]
