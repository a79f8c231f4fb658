"""Python's ``predict`` over a list against the program on the same folder, in turns.

    cargo build --release && maturin develop --release && python python/throughput.py target/release/lineament [ROUNDS [PICTURES [THREADS]]]

Prints seconds a round and the ratio of the best and of the middle rounds. The program's start and Python's loading of the model count for both. pandas is
kept out: where it is installed, pyarrow imports it with the first array, which takes 1.5 s here and is no work on pictures.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

PYTHON = """
import sys, pathlib, lineament
class Without:
    def find_spec(name, *rest):
        if name == "pandas":
            raise ImportError(name)
sys.meta_path.insert(0, Without)
tagger = lineament.Tagger(threads=int(sys.argv[2]))
tagger.predict(sorted(pathlib.Path(sys.argv[1]).iterdir())).to_arrow()
"""


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    rounds, pictures, threads = (int(given) for given in [*sys.argv[2:5], *("5", "1500", "2")[len(sys.argv) - 2 :]])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pictures")
        folder.mkdir()
        for number in range(pictures):
            name = ("astronaut.png", "chelsea.png", "coffee.png")[number % 3]
            shutil.copy(EXAMPLES / name, folder / f"{number:04}.png")
        calls = {
            "program": [program, "predict", folder, "--threads", str(threads), "--output", Path(place, "out.parquet")],
            "python": [sys.executable, "-P", "-c", PYTHON, folder, str(threads)],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for round in range(rounds):
            for name in sorted(calls, reverse=round % 2 == 1):
                begin, before = time.monotonic(), os.times()
                subprocess.run(calls[name], check=True, stderr=subprocess.DEVNULL)
                after = os.times()
                cpu = after.children_user + after.children_system - before.children_user - before.children_system
                taken[name].append((time.monotonic() - begin, cpu))
    for name, seconds in taken.items():
        print(name, "clock", *(f"{wall:.2f}" for wall, _ in seconds), "processors", *(f"{cpu:.2f}" for _, cpu in seconds))
    for word, of in (("best", min), ("middle", statistics.median)):
        for place, what in ((0, "throughput"), (1, "by processor time")):
            one, other = (of([round[place] for round in taken[name]]) for name in ("program", "python"))
            print(f"{word}: Python has {one / other:.3f} of the program's {what}")


if __name__ == "__main__":
    main()
