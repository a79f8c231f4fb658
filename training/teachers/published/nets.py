"""The LNets of a recipe as PyTorch modules, and their weights under the recipe's names."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from bfloat16 import bfloat16

from .depthwise import Depthwise


class Residual(nn.Sequential):
    """Layers whose answer is added to what they were given."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + super().forward(maps)


def convolution(layer: dict, channels: int) -> nn.Module:
    """A convolution; padding `[before, after]` that differs is put in front."""
    before, after = padding if isinstance(padding := layer.get("padding", 0), list) else (padding, padding)
    given = (channels, layer["filters"], layer["kernel"], layer.get("stride", 1))
    groups, bias = layer.get("groups", 1), layer.get("bias", True)
    of = Depthwise if groups == channels == layer["filters"] and not bias else nn.Conv2d
    if before == after:
        return of(*given, padding=before, groups=groups, bias=bias)
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), of(*given, groups=groups, bias=bias))


def build(layers: list[dict], channels: int) -> tuple[list[nn.Module], list[tuple[str, nn.Module]], int]:
    """Modules in order, those that hold parameters by name, and the channels of the answer."""
    modules, named = [], []
    for layer in layers:
        kind, name = layer["kind"], layer.get("name", "")
        if kind == "conv":
            module = convolution(layer, channels)
            named.append((name, module[1] if isinstance(module, nn.Sequential) else module))
            channels = layer["filters"]
        elif kind == "batch_norm":
            module = nn.BatchNorm2d(channels, eps=layer.get("epsilon", 1e-5))
            named.append((name, module))
        elif kind == "relu":
            module = nn.ReLU()
        elif kind == "relu6":
            module = nn.ReLU6()
        elif kind == "max_pool":
            module = nn.MaxPool2d(layer["kernel"], layer["stride"])
        elif kind == "residual":
            body, inside, channels = build(layer["body"], channels)
            module = Residual(*body)
            named += [(f"{name}.{part}", one) for part, one in inside]
        else:
            raise ValueError(f"layer {name or kind}: an LNet of this script has no layer of kind {kind}")
        modules.append(module)
    return modules, named, channels


class LNet(nn.Module):
    """N x 3 x height x width from 0 to 1 in, N x channels x rows x columns out.

    Its last three layers are a normalization, a convolution and an activation.
    """

    def __init__(self, spec: dict, preprocess: dict):
        super().__init__()
        layers, self.named, self.channels = build(spec["layers"], spec["input"]["channels"])
        self.layers = nn.Sequential(*layers)
        self.side = spec["input"]["height"]
        self.mean, self.std = (torch.tensor(preprocess[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Responses in single precision; sums run in bfloat16 where the processor has it."""
        return self.response(self.layers[-3](self.before_norm(images)))

    def before_norm(self, images: torch.Tensor) -> torch.Tensor:
        """What the trunk sees: the input of the last normalization and convolution."""
        images = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with bfloat16():
            return self.layers[:-3](images)

    def response(self, features: torch.Tensor) -> torch.Tensor:
        """The last convolution, of normalized features, and its activation."""
        with bfloat16():
            return self.layers[-2:](features).float()

    def arrays(self) -> dict[str, torch.Tensor]:
        """All parameters by the recipe's names; they are the net's own, not copies."""
        found = {}
        for name, module in self.named:
            if isinstance(module, nn.BatchNorm2d):
                of = {"scale": module.weight, "shift": module.bias, "mean": module.running_mean, "variance": module.running_var}
            else:
                of = {"weight": module.weight} | ({} if module.bias is None else {"bias": module.bias})
            found |= {f"{name}.{part}": array.detach() for part, array in of.items()}
        return found

    def save(self, path: Path) -> None:
        """Writes the weights as a recipe's `weights = FILE` reads them."""
        partial = path.with_suffix(".partial")
        save_file({name: array.contiguous().clone() for name, array in self.arrays().items()}, partial)
        partial.replace(path)
