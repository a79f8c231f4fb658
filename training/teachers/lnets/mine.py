"""What a cascade finds in photos with a face, for LNets to learn from, and what it takes for faces where there are none."""

import logging
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from .cascade import Cascade
from .windows import EMPTY_CANVAS, EMPTY_ZOOM, FACE_CANVAS, FACE_ZOOM, canvas, objects, portraits, stack, tagged_photos, without_faces

log = logging.getLogger(__name__)

# Responses that are looked at twice, or kept as hard, however weak.
LEAST = -2.5


@dataclass
class Mined:
    """Canvases of own windows with their weights, and of windows without a face for either LNet; none where none were found."""

    own: torch.Tensor | None
    own_weight: torch.Tensor
    hard_o: torch.Tensor | None
    hard_s: torch.Tensor | None


def _smallest(photo: Image.Image) -> float:
    return max(14.0, 0.02 * max(photo.size))


def _empty(photo, window, roll=0.0):
    x, y, side = window.tolist()
    return canvas(photo, (x, y), side, EMPTY_CANVAS, EMPTY_ZOOM, float(roll))[..., :3]


def hard(cascade: Cascade, data: Path, seed: int, of_objects: int) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Windows that LNet_o proposes, and those that LNet_s believes most, in training images without a face."""
    for_o, for_s = [], []
    known = objects(data)
    some = random.Random(seed).sample(known, min(of_objects, len(known)))
    for path in without_faces(data, "train") + some:
        photo, few = Image.open(path).convert("RGB"), max(Image.open(path).size) <= 64
        if few:
            photo = photo.resize((128, 128), Image.BICUBIC)
        levels = cascade.levels(photo, 24.0 if few else _smallest(photo))
        proposed = cascade.candidates(levels)
        for place in range(min(len(proposed.scores), 4 if few else 30)):
            if proposed.scores[place] > -1:
                for_o.append(_empty(photo, proposed.windows[place]))
        first = cascade.look(levels, proposed)
        strong = first.scores > LEAST
        seen, first = proposed.select(strong), first.select(strong)
        second = cascade.look(levels, first)
        for looked_at, answers in ((seen, first), (first, second)):
            for place in answers.scores.argsort(descending=True)[: 3 if few else 15].tolist():
                if answers.scores[place] > LEAST:
                    for_s.append(_empty(photo, looked_at.windows[place], looked_at.rolls[place]))
    log.info("%d hard windows for LNet_o, %d for LNet_s", len(for_o), len(for_s))
    return stack(for_o), stack(for_s)


def own(cascade: Cascade, data: Path, sure: float, likely: float, step: int) -> tuple[torch.Tensor | None, torch.Tensor]:
    """Windows that are surely faces, and the strongest of each photo if it is likely one: the tag says that there is a face.

    Photos in the wild are few and hold what the others lack, so their windows weigh more. `step` takes every so many of the other photos.
    """
    found, weights = [], []
    photos = tagged_photos(data)
    wild = [path for path in photos if path.parent.name == "wider_photos"]
    others = [path for path in photos if path.parent.name != "wider_photos"]
    for weight, paths, most in ((4.0, wild, None), (1.0, others[::step], None), (0.7, portraits(data)[::step], 1)):
        before = len(found)
        for path in paths:
            photo = Image.open(path).convert("RGB")
            located = cascade.locate(photo, _smallest(photo) if most is None else 30.0)
            for place in range(len(located.scores))[:most]:
                if located.scores[place] > (likely if place == 0 else sure):
                    x, y, side = located.windows[place].tolist()
                    found.append(canvas(photo, (x, y), side, FACE_CANVAS, FACE_ZOOM, float(located.rolls[place])))
                    weights.append(weight)
        log.info("%d own windows in %d photos", len(found) - before, len(paths))
    return stack(found), torch.tensor(weights)


def mine(cascade: Cascade, data: Path, path: Path, seed: int, sure: float, of_objects: int = 2500, step: int = 4) -> Mined:
    """Both, kept at `path`; a file that is there was mined before."""
    if not path.exists():
        for_o, for_s = hard(cascade, data, seed, of_objects)
        found, weights = own(cascade, data, sure, sure - 2.5, step)
        partial = path.with_suffix(".partial")
        torch.save({"own": found, "own_weight": weights, "hard_o": for_o, "hard_s": for_s}, partial)
        partial.replace(path)
    return Mined(**torch.load(path))
