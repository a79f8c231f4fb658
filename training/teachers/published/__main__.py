"""python -m published --data ../../../shared/data --recipe ../../recipes/paper_objects.toml --start imagenet --output runs/imagenet"""

import argparse
import logging
from pathlib import Path

import torch

from lnets.nets import read_recipe

from .images import empty, tagged, whole
from .learn import Stage, learn, learn_response
from .nets import LNet
from .regions import beside, best, responses
from .schedule import Run
from .starts import STARTS, begin

# Rates of a net that knows ImageNet, and of one that doesn't, which would learn nothing with the first.
RATES = {"imagenet": 5e-4, "tiny": 1.5e-3, "random": 1.5e-3}
# That of the last convolution alone.
KEPT_RATE = 3e-3

# LNet_o's window: the power of its size under the sum of responses, as validation photos chose it for recipes/paper.toml.
POWER = 0.4


def main() -> None:
    parser = argparse.ArgumentParser(prog="published", description="The published recipe's LNets, from tags of whole photos; a run that was interrupted goes on.")
    parser.add_argument("--data", type=Path, required=True, help="folder with celeba, background and the other sets")
    parser.add_argument("--recipe", type=Path, required=True, help="recipe whose LNets are learned")
    parser.add_argument("--start", choices=STARTS, required=True, help="what the LNets know before tags")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--sides", type=int, nargs=2, default=(128, 128), help="of what LNet_o and LNet_s are shown, in pixels")
    parser.add_argument("--steps", type=int, nargs=3, default=(320, 200, 100), help="of Tiny-ImageNet, LNet_o and LNet_s")
    parser.add_argument("--keep", action="store_true", help="keep what the start knows as it is: only the last convolution learns")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    output, seed = arguments.output, arguments.seed
    rate = KEPT_RATE if arguments.keep else RATES[arguments.start]
    output.mkdir(parents=True, exist_ok=True)
    objects, first, second = arguments.steps

    recipe = read_recipe(arguments.recipe)
    torch.manual_seed(seed)
    nets = {name: LNet(recipe["nets"][name], recipe["preprocess"]) for name in ("lnet_o", "lnet_s")}
    lnet_o, lnet_s = nets.values()
    begin(arguments.start, lnet_o, arguments.data, Run(objects, 2e-3, seed, output))

    photos, none = tagged(arguments.data), empty(arguments.data)
    teach = learn_response if arguments.keep else learn
    # One view is made of each photo where its features are kept: the photo as it is.
    scale, shift = ((1.0, 1.0), 0.0) if arguments.keep else ((0.7, 1.1), 0.08)
    stage = Stage(arguments.sides[0], scale, shift, whole(len(photos.squares)))
    teach("lnet_o", lnet_o, photos, none, stage, Run(first, rate, seed, output))
    lnet_o.save(output / "lnet_o.safetensors")

    # LNet_s begins as LNet_o, whose structure it has, and learns from the regions that LNet_o finds.
    regions = best(responses(lnet_o, photos.squares, lnet_o.side), POWER)
    lnet_s.load_state_dict(lnet_o.state_dict())
    stage = Stage(arguments.sides[1], (0.8, 1.2), 0.1, regions, beside(regions, seed))
    teach("lnet_s", lnet_s, photos, none, stage, Run(second, rate / 2, seed + 1, output))
    lnet_s.save(output / "lnet_s.safetensors")


main()
