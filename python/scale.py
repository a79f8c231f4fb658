"""Writes docs/scale.md: what many photos cost, from rates measured here and now.

    cargo build --release && python3 python/scale.py [--pictures DIR] [--seconds 20]

Leave the machine alone meanwhile. Each row runs `lineament predict --shards` over links to the photos for about so many seconds.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass
class Rate:
    """What one run measured, per photo."""

    name: str
    pictures: int
    wall: float
    cpu: float
    read: float
    written: float


def run(program: Path, folder: Path, output: Path) -> tuple[float, float]:
    """Wall-clock seconds, and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run([program, "predict", folder, "--shards", output], check=True, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(program: Path, name: str, pictures: list[Path], seconds: float) -> Rate:
    """As many links to the photos as take the time; each of them is read and decoded."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pictures")
        folder.mkdir()

        def fill(count: int) -> None:
            for number in range(count):
                picture = pictures[number % len(pictures)]
                target = folder / f"{number:07}{picture.suffix}"
                if not target.exists():
                    os.symlink(picture.resolve(), target)

        trial = max(20, min(len(pictures), 200))
        fill(trial)
        wall, _ = run(program, folder, Path(place, "trial"))
        count = max(trial, int(trial * seconds / wall))
        fill(count)
        wall, cpu = run(program, folder, Path(place, "out"))
        read = sum(path.stat().st_size for path in folder.iterdir()) / count
        written = sum(path.stat().st_size for path in Path(place, "out").glob("*.parquet")) / count
        return Rate(name, count, wall / count, cpu / count, read, written)


def duration(seconds: float) -> str:
    for unit, length in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} seconds"


def size(count: float) -> str:
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:,.1f} {unit}"
    return f"{count / 1e3:,.1f} kB"


def said(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def page(rates: list[Rate], command: str, load: float) -> str:
    cores = os.cpu_count() or 1
    rows = "\n".join(
        f"| {r.name} | {r.pictures:,} | {1 / r.wall:,.1f} | {1000 * r.cpu:,.1f} | {r.read / 1000:,.0f} kB | {r.written:,.0f} B |" for r in rates
    )
    costs = "\n".join(
        f"| {count} | {r.name} | {r.cpu * number / 3600:,.0f} | {duration(r.cpu * number / 32)} | {duration(r.cpu * number / 32 / 100)} "
        f"| {size(r.read * number)} | {size(r.written * number)} |"
        for count, number in (("a million", 1e6), ("a billion", 1e9))
        for r in rates
    )
    disturbed = load > 0.5
    note = (
        f"Other work was going on (load {load:.1f} on {cores} cores): photos per second are too low, and core-milliseconds, which count only "
        "this program's own time, somewhat too high. Run the command again on a quiet machine."
        if disturbed
        else f"The machine was left alone (load {load:.1f} on {cores} cores)."
    )
    measured = wrapped(
        f"Measured on {datetime.date.today().isoformat()}, {processor()}, {cores} cores, commit {said(['git', 'rev-parse', '--short', 'HEAD'])}. {note}"
    )
    multiplied = wrapped(
        "Multiplied from the table above, as if all cores were like these and never waited for the disk or the network. At a billion, look at "
        f"both first: every photo is read once, and with 100 machines of 32 cores that is {size(rates[0].read * 3200 / rates[0].cpu)} per second "
        f"for {rates[0].name}."
    )
    return f"""# Many photos, many machines

This page is written by a command; do not edit it by hand:

    {command}

## On one machine

    lineament predict photos/ --shards faces/
    lineament predict pictures.parquet --shards faces/ --picture-column image --key-column id

writes `faces/shard-000000.parquet` and so on, with `--shard-rows` photos in each (1000 by default). A shard gets its
name when it is complete. After an interruption the same call does what has no row yet: nothing is lost and nothing is
there twice. Photos that have come since get new shards. The metadata of each shard binds the folders of photos, the
model and the options; a call with others is refused. Every photo has a row: one per face, one with face 0 where there is
none, one with the reason under `error` where it cannot be read. A kill costs at most the work of one shard.

## On several

    pip install "lineament[ray]"
    python -c 'import ray, lineament.ray as many; ray.init("auto"); print(many.predict("/shared/photos", "/shared/faces", concurrency=(8, 64)))'

spreads shards over an actor pool of Ray Data; each actor loads the bundle once. All machines must see both folders
under the same path. A machine that fails costs time and no row: its shards are done again elsewhere and get the same
names. The same call resumes after the whole cluster was killed. For custom pipelines there is
`lineament.ray.Predictor`, a step of `Dataset.map_batches`. Give it files (`read_binary_files`) rather than arrays:
`read_images` makes numbers of a palette's colours, which look like a gray image, so that arrays of one channel and
eight bits are refused one by one; with `mode="RGB"` it makes images of 16 bits white. Ray is pinned to the version that
`.ci/ray` tests, on a real cluster of two nodes on one machine, one of them killed in mid-run; it has not been run on a
larger one.

## What it costs

{measured}

| photos | measured | photos per second | core-milliseconds per photo | read per photo | written per photo |
|---|---|---|---|---|---|
{rows}

The time of a photo is mostly that of finding faces and grows with its pixels; each face adds its own.

| how many | of | core-hours | 32 cores | 100 machines of 32 cores | to read | shards |
|---|---|---|---|---|---|---|
{costs}

{multiplied}
"""


def wrapped(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/lineament")
    parser.add_argument("--pictures", type=Path, help="a folder of your own photos, as one more row; only sizes and times are written")
    parser.add_argument("--name", default="own photos", help="what that row is called")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/scale.md")
    arguments = parser.parse_args()
    if not arguments.program.is_file():
        sys.exit(f"{arguments.program} is not there; build it with cargo build --release, or name one with --program")
    load = os.getloadavg()[0]
    examples = ROOT / "examples"
    kinds = [
        ("one face, PNG of 512 x 512", [examples / "astronaut.png"]),
        ("no face, PNGs of 451 x 300 and 600 x 400", [examples / "chelsea.png", examples / "coffee.png"]),
    ]
    if arguments.pictures:
        own = sorted(path for path in arguments.pictures.rglob("*") if path.suffix.lower() in ENDINGS)
        if not own:
            sys.exit(f"there is no photo in {arguments.pictures}")
        kinds.append((arguments.name, own))
    rates = [measure(arguments.program.resolve(), name, pictures, arguments.seconds) for name, pictures in kinds]
    command = "cargo build --release && python3 python/scale.py"
    if arguments.pictures:
        command += f" --pictures DIR --name '{arguments.name}'"
    temporary = arguments.output.with_suffix(".md.tmp")
    temporary.write_text(page(rates, command, load))
    shutil.move(temporary, arguments.output)


if __name__ == "__main__":
    main()
