"""ANet learns from tags and from tables of other models."""

import copy
import logging
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from bfloat16 import bfloat16

from .augment import changed, plain
from .net import ANet

log = logging.getLogger(__name__)


@dataclass
class Lessons:
    """What is known of N faces; what is not known is not a number."""

    canvases: np.ndarray  # N x 3 x CANVAS x CANVAS bytes
    tags: torch.Tensor  # N x attributes
    probabilities: torch.Tensor | None  # N x attributes, of the same attributes by the same people: mixed with the tags
    others: torch.Tensor | None  # N x attributes, of a model with leanings of its own: learned by a second head
    vectors: torch.Tensor | None  # N x K
    train: np.ndarray
    untagged: np.ndarray
    validation: np.ndarray


@dataclass
class Schedule:
    """How it learns. The weights are those of each loss beside the sum over attributes of the tags' cross-entropy."""

    steps: int
    rate: float
    seed: int
    batch: int = 64
    share_untagged: float = 0.25
    teacher: float = 0.7
    others: float = 0.5
    vectors: float = 3.0
    smoothing: float = 0.06
    dropout: float = 0.2
    decay: float = 0.05
    average: float = 0.998

    @property
    def keep_every(self) -> int:
        """Steps between checkpoints."""
        return max(1, min(500, self.steps // 8))


class _Learner(nn.Module):
    """ANet and the heads that are removed afterwards."""

    def __init__(self, net: ANet, lessons: Lessons):
        super().__init__()
        self.net = net
        attributes = lessons.tags.shape[1]
        self.others = nn.Linear(net.units, attributes) if lessons.others is not None else None
        self.vectors = nn.Linear(net.units, lessons.vectors.shape[1]) if lessons.vectors is not None else None


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Summed over attributes, mean over faces; targets that are not numbers do not count."""
    each = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (each * ~targets.isnan()).sum(1).mean()


def _loss(learner: _Learner, lessons: Lessons, schedule: Schedule, chosen: np.ndarray) -> torch.Tensor:
    images = changed(torch.from_numpy(lessons.canvases[chosen]), learner.net.side, learner.net.patch)
    with bfloat16():
        vectors = learner.net(images)
    vectors = vectors.float()
    kept = F.dropout(vectors, schedule.dropout)
    targets = lessons.tags[chosen] * (1 - schedule.smoothing) + schedule.smoothing / 2
    if lessons.probabilities is not None:
        said = lessons.probabilities[chosen]
        mixed = (1 - schedule.teacher) * targets + schedule.teacher * said
        targets = torch.where(targets.isnan(), said, torch.where(said.isnan(), targets, mixed))
    loss = _cross_entropy(learner.net.head(kept), targets)
    if learner.others is not None:
        loss = loss + schedule.others * _cross_entropy(learner.others(kept), lessons.others[chosen])
    if learner.vectors is not None:
        known = lessons.vectors[chosen]
        away = 1 - F.cosine_similarity(learner.vectors(vectors), known.nan_to_num(), dim=1)
        loss = loss + schedule.vectors * (away * ~known[:, 0].isnan()).mean()
    return loss


class _Order:
    """Batches of tagged and untagged faces; every tagged one once before any comes again."""

    def __init__(self, lessons: Lessons, schedule: Schedule, seed: int):
        self.random, self.lessons = np.random.default_rng(seed), lessons
        self.untagged = int(schedule.batch * schedule.share_untagged) if len(lessons.untagged) else 0
        self.tagged, self.left = schedule.batch - self.untagged, np.array([], int)

    def next(self) -> np.ndarray:
        if len(self.left) < self.tagged:
            self.left = np.concatenate([self.left, self.random.permutation(self.lessons.train)])
        chosen, self.left = self.left[: self.tagged], self.left[self.tagged :]
        return np.concatenate([chosen, self.random.choice(self.lessons.untagged, self.untagged)]) if self.untagged else chosen


@torch.no_grad()
def logits(net: ANet, canvases: np.ndarray) -> torch.Tensor:
    """What `net` says of N x 3 x CANVAS x CANVAS bytes, N x attributes: the mean over the middle patch and its mirror image."""
    net.eval()
    said = []
    for at in range(0, len(canvases), 128):
        seen = torch.from_numpy(canvases[at : at + 128])
        said.append(sum(net.head(net(plain(seen, net.side, net.patch, mirrored))) for mirrored in (False, True)) / 2)
    return torch.cat(said)


def judged(net: ANet, lessons: Lessons) -> tuple[float, float]:
    """Mean accuracy and mean average precision on validation faces."""
    said, tags = logits(net, lessons.canvases[lessons.validation]), lessons.tags[lessons.validation] > 0.5
    ranked = tags.gather(0, said.argsort(0, descending=True)).double()
    precision = ranked.cumsum(0) / torch.arange(1, len(ranked) + 1).view(-1, 1)
    held = ranked.sum(0) > 0
    average = ((precision * ranked).sum(0) / ranked.sum(0).clamp(min=1))[held].mean().item()
    return ((said > 0) == tags).double().mean().item(), average


def learn(net: ANet, lessons: Lessons, schedule: Schedule, checkpoint: Path) -> ANet:
    """Trains `net` and returns the moving average of its weights; goes on from `checkpoint` where there is one, to the same weights."""
    torch.manual_seed(schedule.seed)
    learner = _Learner(net, lessons).to(memory_format=torch.channels_last)
    average = copy.deepcopy(learner)
    flat = [value for value in learner.parameters() if value.ndim < 2]
    matrices = [value for value in learner.parameters() if value.ndim >= 2]
    groups = [{"params": matrices, "weight_decay": schedule.decay}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, schedule.rate, betas=(0.9, 0.99))
    order, first = _Order(lessons, schedule, schedule.seed), 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=False)
        learner.load_state_dict(kept["learner"])
        average.load_state_dict(kept["average"])
        optimizer.load_state_dict(kept["optimizer"])
        first, order.left = kept["step"], kept["left"]
        order.random.bit_generator.state = kept["order"]
    began, total = time.monotonic(), 0.0
    for step in range(first, schedule.steps):
        # Each step draws from a seed of its own, so that a run that was stopped draws the same when it goes on.
        torch.manual_seed(schedule.seed * 1_000_003 + step)
        random.seed(schedule.seed * 1_000_003 + step)
        warm = 0.05 * schedule.steps
        rise = (step + 1) / warm if step < warm else (1 + math.cos(math.pi * (step - warm) / (schedule.steps - warm))) / 2
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * max(rise, 1e-3)
        learner.train()
        loss = _loss(learner, lessons, schedule, order.next())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
        optimizer.step()
        keep = min(schedule.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, value in zip(average.state_dict().values(), learner.state_dict().values()):
                mean.lerp_(value, 1 - keep) if mean.is_floating_point() else mean.copy_(value)
        total += loss.item()
        if (step + 1) % schedule.keep_every == 0:
            pace = (step + 1 - first) * schedule.batch / (time.monotonic() - began)
            log.info("step %d: loss %.4f, %.0f faces a second", step + 1, total / schedule.keep_every, pace)
            total = 0.0
            state = {"learner": learner.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            partial = checkpoint.with_suffix(".partial")
            torch.save({**state, "left": order.left, "order": order.random.bit_generator.state}, partial)
            partial.replace(checkpoint)
    log.info("validation: mean accuracy %.4f, mean average precision %.4f", *judged(average.net, lessons))
    return average.net
