"""The nets of a recipe as PyTorch modules, and their weights under the recipe's names."""

import tomllib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from bfloat16 import bfloat16

# Channels of the last layer: the face, then where its own window is (right, down, size), then its roll (sine, cosine).
FACE, RIGHT, DOWN, SIZE, SINE, COSINE, TAGS = range(7)


class LNet(nn.Sequential):
    """A window classifier: N x 3 x side x side in, N x (6 + tags) x 1 x 1 out; larger images give a map."""

    def __init__(self, spec: dict, mean: list[float], std: list[float]):
        layers, names, channels = [], [], spec["input"]["channels"]
        for layer in spec["layers"]:
            kind = layer["kind"]
            if kind == "conv":
                filters, kernel = layer["filters"], layer["kernel"]
                bias = layer.get("bias", True)
                layers.append(nn.Conv2d(channels, filters, kernel, layer.get("stride", 1), layer.get("padding", 0), bias=bias))
                channels = filters
            elif kind == "batch_norm":
                layers.append(nn.BatchNorm2d(channels))
            elif kind == "relu":
                layers.append(nn.ReLU())
            elif kind == "max_pool":
                layers.append(nn.MaxPool2d(layer["kernel"], layer["stride"]))
            else:
                raise ValueError(f"net {spec['name']}: layer {kind} is none that an LNet of this script has")
            names.append(layer.get("name"))
        super().__init__(*layers)
        self.side, self.names, self.outputs = spec["input"]["height"], names, channels
        self.mean, self.std = torch.tensor(mean).view(1, 3, 1, 1), torch.tensor(std).view(1, 3, 1, 1)

    def respond(self, images: torch.Tensor) -> torch.Tensor:
        """Images from 0 to 1 in, responses in single precision out; sums run in bfloat16 where the processor has it."""
        images = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with bfloat16():
            return self(images).float()

    def fused(self) -> "LNet":
        """A copy for use: normalizations are multiplied into the weights before them."""
        made = LNet.__new__(LNet)
        nn.Module.__init__(made)
        kept: list[nn.Module] = []
        for module in self.eval():
            if isinstance(module, nn.BatchNorm2d):
                kept[-1] = torch.nn.utils.fuse_conv_bn_eval(kept[-1], module)
            else:
                kept.append(module)
        for place, module in enumerate(kept):
            made.add_module(str(place), module)
        made.side, made.names, made.outputs, made.mean, made.std = self.side, self.names, self.outputs, self.mean, self.std
        return made.to(memory_format=torch.channels_last).eval()

    def save_safetensors(self, path: Path) -> None:
        """Writes the weights as a recipe's `weights = FILE` reads them."""
        own = {}
        for module, name in zip(self, self.names):
            if isinstance(module, nn.Conv2d):
                own[f"{name}.weight"] = module.weight
                if module.bias is not None:
                    own[f"{name}.bias"] = module.bias
            elif isinstance(module, nn.BatchNorm2d):
                own[f"{name}.scale"], own[f"{name}.shift"] = module.weight, module.bias
                own[f"{name}.mean"], own[f"{name}.variance"] = module.running_mean, module.running_var
        partial = path.with_suffix(".partial")
        save_file({name: value.detach().contiguous() for name, value in own.items()}, partial)
        partial.replace(path)


def read_recipe(path: Path) -> dict:
    """A recipe's table."""
    with path.open("rb") as file:
        return tomllib.load(file)


def lnet(recipe: dict, name: str) -> LNet:
    """`lnet_o` or `lnet_s` of a recipe, with new weights."""
    prepared = recipe["preprocess"]
    return LNet(recipe["nets"][name], prepared["mean"], prepared["std"])
