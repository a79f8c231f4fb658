"""How training windows are changed: what faces in the wild look like, made from aligned ones."""

import math
import random

import torch
import torch.nn.functional as F

from .windows import EMPTY_ZOOM, FACE_ZOOM


def _between(count: int, low: float, high: float) -> torch.Tensor:
    return torch.empty(count).uniform_(low, high)


def _chance(count: int, share: float) -> torch.Tensor:
    return torch.rand(count) < share


def _frames(scale, angle, mirrored, right, down):
    """From a window to its canvas, both from -1 to 1, for a face that stands (right, down) window sides from the window's center."""
    c, s, sign = angle.cos(), angle.sin(), torch.where(mirrored, -1.0, 1.0)
    turn = torch.stack([torch.stack([sign * scale * c, -scale * s], 1), torch.stack([sign * scale * s, scale * c], 1)], 1)
    move = -(turn @ torch.stack([2 * right, 2 * down], 1)[..., None])
    return torch.cat([turn, move], 2), turn


def _sample(canvases, frames, side):
    grid = F.affine_grid(frames, (len(canvases), canvases.shape[1], side, side), align_corners=False)
    return F.grid_sample(canvases, grid, padding_mode="border", align_corners=False)


class Augment:
    """Draws windows of `side` pixels. An LNet that slides meets faces anywhere between its cells; one that looks at a candidate meets what the first leaves."""

    def __init__(self, side: int):
        self.side, self.slides = side, side < 32
        self.shift, self.log_scale = (0.14, 0.24) if self.slides else (0.2, 0.27)

    def _floats(self, canvases):
        values = canvases.float() / 255
        return F.avg_pool2d(values, 2, 2) if self.slides else values

    def faces(self, canvases, others):
        """N x 4 canvases of faces -> N x 3 windows and N x 5 offsets. Beyond the image lies one of the windows `others`, or a color."""
        count = len(canvases)
        upright = _chance(count, 0.35)
        angle = torch.where(upright, _between(count, -12, 12), _between(count, -48, 48)) * (math.pi / 180)
        scale = _between(count, -self.log_scale, self.log_scale).exp() / FACE_ZOOM
        right, down = _between(count, -self.shift, self.shift), _between(count, -self.shift, self.shift)
        frames, turn = _frames(scale, angle, _chance(count, 0.5), right, down)
        seen = _sample(self._floats(canvases), frames, self.side)
        inside, seen = (seen[:, 3:] > 0.5).float(), seen[:, :3]
        mean = (seen * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp(min=1)
        which = torch.rand(count, 1, 1, 1)
        beyond = torch.where(which < 0.85, mean.expand_as(seen), torch.rand(count, 3, 1, 1).expand_as(seen))
        beyond = torch.where(which < 0.7, others[torch.randint(len(others), (count,))], beyond)
        up = (torch.linalg.inv(turn) @ torch.tensor([0.0, -1.0]).view(1, 2, 1))[..., 0]
        up = up / up.norm(dim=1, keepdim=True)
        offsets = torch.stack([right, down, -(scale * FACE_ZOOM).log(), up[:, 0], -up[:, 1]], 1)
        return torch.where(inside > 0, seen, beyond), offsets

    def parts(self, canvases, others):
        """Windows inside of faces and beside them: no face of this size stands in their middle."""
        count = len(canvases)
        within = _chance(count, 0.5)
        scale = torch.where(within, _between(count, -1.6, -0.75), _between(count, -0.4, 0.4)).exp() / FACE_ZOOM
        far = torch.where(within, _between(count, 0, 0.7) / (scale * FACE_ZOOM), _between(count, 0.55, 0.85))
        way = _between(count, 0, 2 * math.pi)
        frames, _ = _frames(scale, _between(count, -0.3, 0.3), _chance(count, 0.5), far * way.cos(), far * way.sin())
        seen = _sample(self._floats(canvases), frames, self.side)
        return torch.where(seen[:, 3:] > 0.5, seen[:, :3], others[torch.randint(len(others), (count,))])

    def empty(self, canvases, mined: bool):
        """Windows without a face: mined ones nearly as they were found, others turned any way."""
        count = len(canvases)
        turn, log_scale, scale = (0.35, 0.12, 1 / EMPTY_ZOOM) if mined else (math.pi, 0.25, 0.75)
        angle = torch.where(_chance(count, 0.5), torch.zeros(count), _between(count, -turn, turn))
        scale = scale * _between(count, -log_scale, log_scale).exp()
        frames, _ = _frames(scale, angle, _chance(count, 0.5), _between(count, -0.1, 0.1), _between(count, -0.1, 0.1))
        return _sample(self._floats(canvases), frames, self.side)

    def cover(self, windows, others, share: float):
        """Covers parts of some windows by a color or another image, or lets the image end at one side."""
        side = self.side
        for window in windows:
            drawn = random.random()
            if drawn >= share:
                continue
            other = others[random.randrange(len(others))]
            paint = torch.rand(3, 1, 1)
            if drawn < 0.6 * share:
                area, aspect = random.uniform(0.05, 0.3) * side * side, math.exp(random.uniform(-1, 1))
                wide, high = (min(side, max(1, round(math.sqrt(v)))) for v in (area * aspect, area / aspect))
                x, y = random.randint(0, side - wide), random.randint(0, side - high)
                place = (slice(None), slice(y, y + high), slice(x, x + wide))
                window[place] = paint if random.random() < 0.4 else other[place]
                continue
            depth, axis, far = max(1, round(random.uniform(0.08, 0.4) * side)), random.choice((1, 2)), random.random() < 0.5
            strip = window.narrow(axis, side - depth if far else 0, depth)
            kind = random.random()
            if kind < 0.4:
                strip.copy_(other.narrow(axis, side - depth if far else 0, depth))
            elif kind < 0.8:
                strip.copy_(window.narrow(axis, side - depth - 1 if far else depth, 1).clone().expand_as(strip))
            else:
                strip.copy_(paint.expand_as(strip))
        return windows

    def light(self, windows):
        """Low resolution, blur, contrast, darkness, over-exposure, light from a side, no color, noise."""
        count, side = len(windows), self.side
        for share in (0.5,) if self.slides else (0.2, 0.28, 0.4, 0.55, 0.75):
            some = _chance(count, 0.15 if self.slides else 0.08)
            if some.any():
                small = F.interpolate(windows[some], size=(max(5, round(side * share)),) * 2, mode="area")
                windows[some] = F.interpolate(small, size=(side, side), mode="bilinear" if random.random() < 0.7 else "bicubic")
        some = _chance(count, 0.12)
        if some.any():
            kernel = 3 if self.slides or random.random() < 0.5 else 5
            windows[some] = F.avg_pool2d(F.pad(windows[some], (kernel // 2,) * 4, mode="replicate"), kernel, 1)
        mean = windows.mean((2, 3), keepdim=True)
        contrast, brightness = _between(count, -0.8, 0.45).exp().view(-1, 1, 1, 1), _between(count, -0.25, 0.25).view(-1, 1, 1, 1)
        tint = torch.empty(count, 3, 1, 1).uniform_(-0.2, 0.2).exp()
        windows = (windows - mean) * contrast + mean * tint + brightness
        for share, low, high in ((0.12, -2.2, -0.4), (0.08, 0.3, 1.0)):
            some = _chance(count, share)
            windows[some] = windows[some].clamp(0, 1) * _between(int(some.sum()), low, high).exp().view(-1, 1, 1, 1)
        some = _chance(count, 0.25)
        few = int(some.sum())
        way, line = _between(few, 0, 2 * math.pi), torch.linspace(-1, 1, side)
        ramp = way.cos().view(-1, 1, 1) * line.view(1, 1, -1) + way.sin().view(-1, 1, 1) * line.view(1, -1, 1)
        windows[some] = windows[some] * (ramp * _between(few, 0, 0.7).view(-1, 1, 1)).exp()[:, None]
        some = _chance(count, 0.18)
        windows[some] = windows[some].mean(1, keepdim=True)
        noise = 0.06 * torch.rand(count, 1, 1, 1) * _chance(count, 0.5).view(-1, 1, 1, 1)
        return (windows.clamp(0, 1) + torch.randn_like(windows) * noise).clamp(0, 1)
