"""The two LNets slid over photos, as `lineament::locate::pyramid` does it: what mining and self-teaching look with."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from .nets import COSINE, DOWN, FACE, RIGHT, SINE, SIZE, LNet

STRIDE = 4
MARGIN = 0.3
OVERLAP = 0.45
# LNet_o's strongest windows alone are looked at: an LNet that has learned little takes everything for a face.
MOST = 1500


@dataclass
class Level:
    """The photo at one size: 1 x 3 x H x W from 0 to 1, and pixels of the photo for one of its own."""

    pixels: torch.Tensor
    across: float
    down: float

    @property
    def pixel(self) -> float:
        return math.sqrt(self.across * self.down)


@dataclass
class Found:
    """Windows: N x 3 (center and side, in pixels of the photo), rolls in radians, responses; strongest first."""

    windows: torch.Tensor
    rolls: torch.Tensor
    scores: torch.Tensor

    def select(self, which: torch.Tensor) -> "Found":
        return Found(self.windows[which], self.rolls[which], self.scores[which])


def overlaps(one: torch.Tensor, many: torch.Tensor) -> torch.Tensor:
    """IoU of a square with N others."""
    low = torch.maximum(one[:2] - one[2] / 2, many[:, :2] - many[:, 2:] / 2)
    high = torch.minimum(one[:2] + one[2] / 2, many[:, :2] + many[:, 2:] / 2)
    shared = (high - low).clamp(min=0).prod(1)
    return shared / (one[2] ** 2 + many[:, 2] ** 2 - shared)


def suppress(found: Found) -> Found:
    """Keeps the strongest of overlapping windows, each at the mean of those that it stands for."""
    found = found.select(found.scores.argsort(descending=True))
    alive = torch.ones(len(found.scores), dtype=torch.bool)
    kept, windows, rolls = [], [], []
    for place in range(len(found.scores)):
        if not alive[place]:
            continue
        overlap = overlaps(found.windows[place], found.windows)
        votes = alive & (overlap > 0.5)
        votes[place] = True
        weight = found.scores[votes].sigmoid()
        weight = weight / weight.sum()
        x, y, _ = (found.windows[votes] * weight[:, None]).sum(0).tolist()
        windows.append([x, y, math.exp((found.windows[votes][:, 2].log() * weight).sum().item())])
        rolls.append((found.rolls[votes] * weight).sum().item())
        kept.append(place)
        alive &= overlap <= OVERLAP
        alive[place] = False
    return Found(torch.tensor(windows).reshape(-1, 3), torch.tensor(rolls), found.scores[torch.tensor(kept, dtype=torch.long)])


class Cascade:
    """LNet_o proposes, LNet_s looks twice."""

    def __init__(self, lnet_o: LNet, lnet_s: LNet, propose: float = -2.0, look_again: float = -3.0, height: float = 0.83):
        self.lnet_o, self.lnet_s = lnet_o.fused(), lnet_s.fused()
        self.propose, self.look_again, self.height = propose, look_again, height

    def levels(self, photo: Image.Image, smallest: float) -> list[Level]:
        """From the size at which LNet_o's window fits faces of `smallest` pixels, in steps of the root of two."""
        side, scale, levels = self.lnet_o.side, self.lnet_o.side * self.height / smallest, []
        image = photo
        while side / scale <= max(photo.size) * (1 + 2 * MARGIN):
            width, height = (max(1, round(length * scale)) for length in photo.size)
            image = (photo if scale > 0.7 else image).resize((width, height), Image.BILINEAR)
            pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
            levels.append(Level(pixels, photo.width / width, photo.height / height))
            scale /= math.sqrt(2)
        return levels

    @torch.no_grad()
    def candidates(self, levels: list[Level]) -> Found:
        """LNet_o's windows, moved to where it says that the face is."""
        side, windows, scores = self.lnet_o.side, [torch.zeros(0, 3)], [torch.zeros(0)]
        for level in levels:
            high, wide = (max(round(MARGIN * side), (side - length + 1) // 2) for length in level.pixels.shape[2:])
            answer = self.lnet_o.respond(F.pad(level.pixels, (wide, wide + STRIDE - 1, high, high + STRIDE - 1), mode="replicate"))[0]
            rows, columns = torch.where(answer[FACE] > self.propose)
            at = answer[:, rows, columns]
            x = columns * STRIDE + side / 2 - wide + at[RIGHT].clamp(-0.6, 0.6) * side
            y = rows * STRIDE + side / 2 - high + at[DOWN].clamp(-0.6, 0.6) * side
            size = side * at[SIZE].clamp(-0.6, 0.6).exp()
            windows.append(torch.stack([x * level.across, y * level.down, size * level.pixel], 1))
            scores.append(at[FACE])
        windows, scores = torch.cat(windows), torch.cat(scores)
        strongest = scores.argsort(descending=True)[:MOST]
        windows, scores = windows[strongest], scores[strongest]
        return suppress(Found(windows, torch.zeros(len(scores)), scores))

    def _draw(self, levels: list[Level], windows: torch.Tensor, rolls: torch.Tensor) -> torch.Tensor:
        """Windows from the coarsest level that is still finer than LNet_s sees them."""
        side = self.lnet_s.side
        seen = torch.zeros(len(windows), 3, side, side)
        pixels = torch.tensor([level.pixel for level in levels])
        which = ((pixels[None] <= windows[:, 2:] / side * 1.15).sum(1) - 1).clamp(min=0)
        for place in which.unique().tolist():
            some, level = torch.where(which == place)[0], levels[place]
            height, width = level.pixels.shape[2:]
            x, y, half = windows[some, 0] / level.across, windows[some, 1] / level.down, windows[some, 2] / 2
            c, s = rolls[some].cos() * half, rolls[some].sin() * half
            across = torch.stack([c / level.across, -s / level.across, x], 1) * 2 / width
            down = torch.stack([s / level.down, c / level.down, y], 1) * 2 / height
            frames = torch.stack([across, down], 1) - torch.tensor([[0.0, 0, 1], [0, 0, 1]])
            grid = F.affine_grid(frames, (len(some), 3, side, side), align_corners=False)
            seen[some] = F.grid_sample(level.pixels.expand(len(some), -1, -1, -1), grid, padding_mode="border", align_corners=False)
        return seen

    @torch.no_grad()
    def look(self, levels: list[Level], found: Found) -> Found:
        """LNet_s's responses to windows that are drawn upright for their rolls, and the windows that it would rather see."""
        drawn = self._draw(levels, found.windows, found.rolls)
        answers = [self.lnet_s.respond(some)[:, :, 0, 0] for some in drawn.split(256)]
        answer = torch.cat(answers) if answers else torch.zeros(0, self.lnet_s.outputs)
        c, s = found.rolls.cos(), found.rolls.sin()
        right, down = (answer[:, [RIGHT, DOWN]].clamp(-0.6, 0.6) * found.windows[:, 2:]).unbind(1)
        x, y = found.windows[:, 0] + c * right - s * down, found.windows[:, 1] + s * right + c * down
        side = found.windows[:, 2] * answer[:, SIZE].clamp(-0.7, 0.7).exp()
        return Found(torch.stack([x, y, side], 1), found.rolls + torch.atan2(answer[:, SINE], answer[:, COSINE]), answer[:, FACE])

    def locate(self, photo: Image.Image, smallest: float) -> Found:
        """Faces and what resembles them, strongest first."""
        levels = self.levels(photo, smallest)
        first = self.look(levels, self.candidates(levels))
        return suppress(self.look(levels, first.select(first.scores > self.look_again)))
