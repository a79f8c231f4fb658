"""One LNet learns from windows."""

import logging
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from .augment import Augment
from .nets import FACE, RIGHT, TAGS, LNet

log = logging.getLogger(__name__)


@dataclass
class Windows:
    """What an LNet learns from. `own` are canvases of faces that LNets found in photos themselves, `mined` what they took for faces."""

    faces: torch.Tensor
    tags: torch.Tensor
    empty: torch.Tensor
    own: torch.Tensor | None = None
    own_weight: torch.Tensor | None = None
    mined: torch.Tensor | None = None


@dataclass
class Schedule:
    """Steps, and how a batch is made up."""

    steps: int
    rate: float
    seed: int
    faces: int = 96
    own: int = 64
    empty: int = 128
    mined: int = 96
    parts: int = 40
    tags: float = field(default=0.3)
    offsets: float = field(default=3.0)


def _any(tensor: torch.Tensor, count: int) -> torch.Tensor:
    return tensor[torch.randint(len(tensor), (count,))]


def _batch(windows: Windows, schedule: Schedule, augment: Augment):
    """Windows, whether each has a face, the offsets of those that have, and the tags of the framed ones, which come first."""
    empty = augment.empty(_any(windows.empty, schedule.empty), mined=False)
    others = empty[torch.randperm(len(empty))]
    place = torch.randint(len(windows.faces), (schedule.faces,))
    seen, offsets = augment.faces(windows.faces[place], others)
    with_face, targets = [augment.cover(seen, others, 0.3)], [offsets]
    if windows.own is not None:
        found, offsets = augment.faces(windows.own[torch.multinomial(windows.own_weight, schedule.own, replacement=True)], others)
        with_face.append(augment.cover(found, others, 0.15))
        targets.append(offsets)
    whole = windows.own if windows.own is not None and random.random() < 0.5 else windows.faces
    without = [empty, augment.parts(_any(whole, schedule.parts), others)]
    if windows.mined is not None:
        without.append(augment.empty(_any(windows.mined, schedule.mined), mined=True))
    count = sum(map(len, with_face))
    batch = augment.light(torch.cat([*with_face, augment.cover(torch.cat(without), others, 0.1)]))
    face = torch.zeros(len(batch))
    face[:count] = 1
    return batch, face, torch.cat(targets), windows.tags[place]


def learn(net: LNet, windows: Windows, schedule: Schedule, path: Path) -> None:
    """Trains `net` and writes the moving average of its weights to `path`; a file that is there was learned before, and is kept."""
    if path.exists():
        net.load_state_dict(torch.load(path))
        return
    torch.manual_seed(schedule.seed)
    random.seed(schedule.seed)
    augment, net = Augment(net.side), net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), schedule.rate, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.rate, total_steps=schedule.steps, pct_start=0.08)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    sums, began = torch.zeros(3), time.monotonic()
    for step in range(schedule.steps):
        net.train()
        batch, face, offsets, tags = _batch(windows, schedule, augment)
        answer = net.respond(batch)[:, :, 0, 0]
        each = F.binary_cross_entropy_with_logits(answer[:, FACE], face, reduction="none")
        loss = each.mean() + schedule.offsets * F.smooth_l1_loss(answer[: len(offsets), RIGHT:TAGS], offsets, beta=0.1)
        tagged = F.binary_cross_entropy_with_logits(answer[: len(tags), TAGS:], tags)
        loss = loss + schedule.tags * tagged * len(tags) / len(batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        rates.step()
        keep = min(0.998, (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            average[name] = average[name].lerp(value, 1 - keep) if value.is_floating_point() else value.clone()
        sums += torch.tensor([loss.item(), each[: len(offsets)].mean().item(), each[len(offsets) :].mean().item()])
        if (step + 1) % 500 == 0:
            loss, faces, empty = (sums / 500).tolist()
            pace = 500 * len(batch) / (time.monotonic() - began)
            log.info("%s: step %d, loss %.4f, faces %.4f, without %.4f, %.0f windows a second", path.stem, step + 1, loss, faces, empty, pace)
            sums, began = torch.zeros(3), time.monotonic()
    net.load_state_dict(average)
    partial = path.with_suffix(".partial")
    torch.save(average, partial)
    partial.replace(path)
