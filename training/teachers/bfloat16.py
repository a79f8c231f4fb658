"""Sums in bfloat16, where the processor has it: twice as fast as single precision there, ten times slower elsewhere."""

import torch

SUPPORTED = torch.ops.mkldnn._is_mkldnn_bf16_supported()


def bfloat16() -> torch.autocast:
    """A context in which convolutions and products run in bfloat16, if that is any faster."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=SUPPORTED)
