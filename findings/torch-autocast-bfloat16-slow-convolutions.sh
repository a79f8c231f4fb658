#!/usr/bin/env bash
# torch 2.15.0: under `torch.autocast("cpu", dtype=torch.bfloat16)`, which its pages recommend for speed, a convolution takes
# five to twenty times as long as in single precision on x86-64 processors without bfloat16 arithmetic (AVX2 alone), a depthwise one
# a hundred times, without a warning: oneDNN refuses the type there, and plain loops take its place. A rented machine with two cores
# may be of either kind from one day to the next. `torch.ops.mkldnn._is_mkldnn_bf16_supported()` tells them apart.
# Seen on 2026-11-30 on an AMD EPYC that shows no AVX-512: 13 and 110 times. Here training/teachers/lnets asks first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.15.0
"$work/venv/bin/python" -W error - <<'PY'
import sys, time
import torch
from torch import nn

if torch.ops.mkldnn._is_mkldnn_bf16_supported():
    sys.exit("this processor has bfloat16: try it on one without")
torch.set_num_threads(1)
images = torch.rand(16, 32, 24, 24).contiguous(memory_format=torch.channels_last)


def seconds(layer, bfloat16):
    layer = layer.to(memory_format=torch.channels_last).eval()
    taken = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        for _ in range(30):
            begun = time.perf_counter()
            layer(images)
            taken.append(time.perf_counter() - begun)
    return min(taken)  # whatever else runs on the machine


for name, layer, least in (("3x3", nn.Conv2d(32, 64, 3), 3), ("depthwise", nn.Conv2d(32, 32, 3, groups=32), 20)):
    ratio = seconds(layer, True) / seconds(layer, False)
    print(f"{name}: bfloat16 takes {ratio:.0f} times as long as single precision")
    assert ratio > least, "autocast is quick here now: ask no more"
PY
