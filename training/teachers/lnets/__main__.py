"""python -m lnets --data ../../../shared/data --recipe ../../recipes/compact.toml --output runs/lnets"""

import argparse
import logging
from pathlib import Path

import torch
from PIL import Image

from .cascade import Cascade
from .learn import Schedule, Windows, learn
from .mine import mine
from .nets import lnet, read_recipe
from .windows import faceless, framed, without_faces

log = logging.getLogger(__name__)

# Steps of LNet_o and LNet_s in each round; from the second on they also learn from what the round before found.
ROUNDS = ((5000, 5500), (4500, 5000), (3000, 3500))


def sure(cascade: Cascade, data: Path) -> float:
    """The response that one in a hundred validation images without a face exceeds."""
    best = []
    for path in without_faces(data, "validation"):
        photo = Image.open(path).convert("RGB")
        scores = cascade.locate(photo, max(16.0, 0.025 * max(photo.size))).scores
        best.append(scores[0].item() if len(scores) else -20.0)
    return torch.tensor(best).quantile(0.99).item()


def main() -> None:
    parser = argparse.ArgumentParser(prog="lnets", description="LNets from tags of whole images alone; a run that was interrupted goes on.")
    parser.add_argument("--data", type=Path, required=True, help="folder with celeba, background and the other sets")
    parser.add_argument("--recipe", type=Path, required=True, help="recipe whose LNets are learned")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shorter", type=float, default=1.0, help="divide all steps by this, to try the script")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    output, data = arguments.output, arguments.data
    output.mkdir(parents=True, exist_ok=True)

    recipe = read_recipe(arguments.recipe)
    faces, tags = framed(data, recipe["locating"]["frames"])
    windows = {name: Windows(faces, tags, faceless(data, arguments.seed)) for name in ("lnet_o", "lnet_s")}
    log.info("%d framed faces, %d windows without a face", len(faces), len(windows["lnet_o"].empty))
    nets = {}
    for round_, steps in enumerate(ROUNDS, 1):
        for place, name in enumerate(("lnet_o", "lnet_s")):
            # The last round goes on from the one before, more slowly.
            last = round_ == len(ROUNDS)
            nets[name] = nets[name] if last else lnet(recipe, name)
            count = max(10, round(steps[place] / arguments.shorter))
            schedule = Schedule(count, 1.2e-3 if last else 2.5e-3, arguments.seed + round_)
            learn(nets[name], windows[name], schedule, output / f"{name}_{round_}.pt")
            nets[name].save_safetensors(output / f"{name}.safetensors")
        if round_ == len(ROUNDS):
            break
        cascade = Cascade(nets["lnet_o"], nets["lnet_s"])
        mined = mine(cascade, data, output / f"mined_{round_}.pt", arguments.seed + round_, sure(cascade, data))
        for name, hard in (("lnet_o", mined.hard_o), ("lnet_s", mined.hard_s)):
            found = [some for some in (windows[name].mined, hard) if some is not None]
            windows[name].mined = torch.cat(found) if found else None
            windows[name].own, windows[name].own_weight = mined.own, mined.own_weight


main()
