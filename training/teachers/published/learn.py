"""An LNet learns the tags of whole photos, and that images without a face have none in any place."""

import logging
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .images import Photos, changed, coloured, views, whole
from .nets import LNet
from .schedule import Run

log = logging.getLogger(__name__)

# Photos, and images without a face, in a batch.
BATCH, EMPTY = 32, 16

# Weight of the tag "face" beside the forty others.
FACE = 10.0


@dataclass
class Stage:
    """What a net is shown: regions of photos, views of `side` pixels, resized and moved by chance."""

    side: int
    scale: tuple[float, float]
    shift: float
    regions: torch.Tensor
    # Places of photos, and a square in each in which the LNet before found no face; none for whole photos.
    beside: tuple[torch.Tensor, torch.Tensor] | None = None


class Tags(nn.Module):
    """What training adds behind the last convolution and removes afterwards.

    `response` is the map averaged over channels. A photo is tagged "face" when some places respond, which is a
    mean of exponentials over places; the attributes are read where the net responds.
    """

    def __init__(self, channels: int, attributes: int):
        super().__init__()
        self.attributes = nn.Linear(channels, attributes)
        self.face = nn.Parameter(torch.tensor([4.0, -2.0]))

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """N x C x H x W in; a logit for "face" in each place (N x places) and logits of attributes out."""
        response = maps.mean(1).flatten(1)
        share = response / (response.sum(1, keepdim=True) + 1e-3)
        attributes = self.attributes(torch.einsum("ncp,np->nc", maps.flatten(2), share))
        return self.face[0] * response + self.face[1], attributes


def drawn(photos: Photos, empty: torch.Tensor, stage: Stage, place: torch.Tensor, none: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Views of photos, and of `none` images or squares without a face."""
    squares, regions = empty[torch.randint(len(empty), (none,))], whole(none)
    # Where the regions fill all photos there is nothing beside them.
    if stage.beside is not None and len(stage.beside[0]):
        half, (others, clear) = none // 2, stage.beside
        chosen = torch.randint(len(others), (half,))
        squares = torch.cat([squares[half:], photos.squares[others[chosen]]])
        regions = torch.cat([regions[half:] * torch.tensor([1.0, 1.0, 0.5]), clear[chosen]])
    shown = (photos.squares[place], stage.regions[place]), (squares, regions)
    with_face, without = (coloured(views(some, changed(at, stage.scale, stage.shift), stage.side)) for some, at in shown)
    return with_face, without


def loss_of(tags: Tags, maps: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Maps of photos, as many as there is truth, and then of images without a face."""
    count = len(truth)
    faces, attributes = tags(maps)
    some = torch.logsumexp(faces[:count], 1) - math.log(faces.shape[1])
    face = F.softplus(-some).mean() + F.softplus(faces[count:]).mean()
    known = F.binary_cross_entropy_with_logits(attributes[:count], truth, reduction="none")
    return known.sum(1).mean() + FACE * face


def learn(name: str, net: LNet, photos: Photos, empty: torch.Tensor, stage: Stage, run: Run) -> None:
    """Fine-tunes all of `net` with tags."""
    torch.manual_seed(run.seed)
    tags = Tags(net.channels, photos.tags.shape[1])

    def loss() -> torch.Tensor:
        place = torch.randint(len(photos.squares), (BATCH,))
        seen = torch.cat(drawn(photos, empty, stage, place, EMPTY))
        return loss_of(tags, net(seen), photos.tags[place])

    run.learn(name, nn.ModuleList([net, tags]), loss)


@torch.inference_mode()
def features(net: LNet, photos: Photos, empty: torch.Tensor, stage: Stage) -> tuple[torch.Tensor, torch.Tensor]:
    """What the last convolution is shown of one view of each photo, and of a quarter as many without a face."""
    with_face, without = [], []
    for place in torch.arange(len(photos.squares)).split(64):
        faces, none = drawn(photos, empty, stage, place, 16)
        with_face.append(net.before_norm(faces).half())
        without.append(net.before_norm(none).half())
    return torch.cat(with_face), torch.cat(without)


def learn_response(name: str, net: LNet, photos: Photos, empty: torch.Tensor, stage: Stage, run: Run) -> None:
    """Teaches the last convolution alone; what the layers before it see of one view of every photo is computed once."""
    torch.manual_seed(run.seed)
    tags = Tags(net.channels, photos.tags.shape[1])
    net.eval()
    path = run.folder / f"{name}_features.pt"
    if not path.exists():
        torch.save(features(net, photos, empty, stage), path)
    with_face, without = torch.load(path)
    # The spread of the features sets how fast the convolution learns; it is theirs, not a batch's.
    seen = torch.cat([with_face, without]).float()
    norm = net.layers[-3]
    norm.running_mean.copy_(seen.mean((0, 2, 3)))
    norm.running_var.copy_(seen.var((0, 2, 3)))
    log.info("%s: features of %d views", name, len(with_face) + len(without))

    def loss() -> torch.Tensor:
        place, none = torch.randint(len(with_face), (2 * BATCH,)), torch.randint(len(without), (2 * EMPTY,))
        seen = torch.cat([with_face[place], without[none]]).float()
        return loss_of(tags, net.response(norm(seen)), photos.tags[place])

    run.learn(name, nn.ModuleList([*net.layers[-2:], tags]), loss)
