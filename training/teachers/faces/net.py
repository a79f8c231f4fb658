"""The ANet of a recipe as a PyTorch module, and its weights under the recipe's names."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class _Residual(nn.Module):
    def __init__(self, body: nn.Sequential, shortcut: nn.Sequential):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.shortcut(x)


class ANet(nn.Module):
    """N x 3 x side x side from 0 to 1 in; `head` behind the FC vector gives N x attributes."""

    def __init__(self, recipe: dict, attributes: int):
        super().__init__()
        spec, prepared = recipe["nets"]["anet"], recipe["preprocess"]
        self.side, self.named = spec["input"]["height"], []
        # A patch shows this share of the region's side.
        self.patch = recipe["patches"]["size"] / recipe["patches"]["region"]
        self.trunk, self.units = self._layers(spec["layers"], spec["input"]["channels"], "")
        self.register_buffer("mean", torch.tensor(prepared["mean"]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(prepared["std"]).view(1, 3, 1, 1))
        self.trunk(torch.zeros(2, 3, self.side, self.side))
        self.head = nn.Linear(self.units, attributes)
        self.named.append(("head", self.head))

    def _layers(self, layers: list[dict], channels: int, prefix: str) -> tuple[nn.Sequential, int]:
        made: list[nn.Module] = []
        for layer in layers:
            kind, name = layer["kind"], prefix + layer.get("name", "")
            if kind == "conv":
                filters, bias = layer["filters"], layer.get("bias", True)
                module = nn.Conv2d(channels, filters, layer["kernel"], layer.get("stride", 1), layer.get("padding", 0), bias=bias)
                channels = filters
                self.named.append((name, module))
            elif kind == "batch_norm":
                module = nn.BatchNorm2d(channels)
                self.named.append((name, module))
            elif kind == "relu":
                module = nn.ReLU()
            elif kind in ("max_pool", "avg_pool"):
                module = (nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d)(layer["kernel"], layer["stride"])
            elif kind == "residual":
                body, filters = self._layers(layer["body"], channels, f"{name}.")
                shortcut, _ = self._layers(layer.get("shortcut", []), channels, f"{name}.")
                module, channels = _Residual(body, shortcut), filters
            elif kind == "linear":
                linear = nn.LazyLinear(layer["outputs"])
                module, channels = nn.Sequential(nn.Flatten(), linear), layer["outputs"]
                self.named.append((name, linear))
            else:
                raise ValueError(f"net anet: layer {kind} is none that an ANet of this script has")
            made.append(module)
        return nn.Sequential(*made), channels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The FC vector, N x units."""
        return self.trunk(((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)).flatten(1)

    def _parameters_by_name(self):
        for name, module in self.named:
            own = name if name == "head" else f"trunk.{name}"
            own = "head.head" if name == "head" else own
            if isinstance(module, nn.BatchNorm2d):
                yield from ((f"{own}.scale", module.weight), (f"{own}.shift", module.bias))
                yield from ((f"{own}.mean", module.running_mean), (f"{own}.variance", module.running_var))
            else:
                yield f"{own}.weight", module.weight
                if module.bias is not None:
                    yield f"{own}.bias", module.bias

    def save(self, path: Path) -> None:
        """Writes trunk and head as a recipe's `[anet] weights = FILE` reads them."""
        partial = path.with_suffix(".partial")
        save_file({name: value.detach().contiguous() for name, value in self._parameters_by_name()}, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""
        read = load_file(path)
        with torch.no_grad():
            for name, value in self._parameters_by_name():
                if name not in read or read[name].shape != value.shape:
                    raise ValueError(f"{path}: it holds no {name} of shape {tuple(value.shape)}")
                value.copy_(read[name])
