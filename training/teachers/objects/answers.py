"""What the original answers to an input without pattern, for the test of the imported net."""

import copy

import numpy as np
import torch
from torch import nn

from .layers import SIDE

# Places of the answers that are kept.
KEPT = 40


def value(indices: np.ndarray) -> np.ndarray:
    """A list without pattern, from -1 to 1; `crates/lineament-net/tests/efficientnet.rs` computes the same."""
    return (indices.astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2001)).astype(np.float64) / 1000.0 - 1.0


def fill(arrays: dict) -> None:
    """Weights without pattern, so that no file is needed to see that two nets are one."""
    for number, (name, array) in enumerate(arrays.items()):
        values = value(np.arange(array.numel()) + number * 1_000_003)
        if name.endswith(".weight"):
            values = values * np.sqrt(3.0 / (array.numel() / array.shape[0]))
        elif name.endswith((".scale", ".variance")):
            values = 1.0 + 0.5 * values
        else:
            values = 0.5 * values
        array.copy_(torch.from_numpy(values.astype(np.float32).reshape(array.shape)))


def answer(original: nn.Module) -> list[float]:
    """The first answers, in double precision, as decimal numbers of single precision."""
    pixels = value(np.arange(3 * SIDE * SIDE)).astype(np.float32).reshape(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        logits = copy.deepcopy(original).double()(torch.from_numpy(pixels).double())[0]
    return [float(np.float32(logit)) for logit in logits[:KEPT]]
