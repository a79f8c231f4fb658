"""Taggers survive in other processes: each call there answers or raises, and none waits for threads that are not there."""

from __future__ import annotations

import importlib.util
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

METHODS = multiprocessing.get_all_start_methods()
PROGRAM = Path(__file__).with_name("processes.py")
FORKS = pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")


def seen(situation: str, method: str, picture: Path) -> str:
    # Later versions of Python warn of forks with threads.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", PROGRAM, situation, method, picture]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("situation", ["pool", "executor"])
def test_processes_of_every_kind_find_the_face(situation, method, astronaut):
    assert seen(situation, method, astronaut) == "[1, 1, 1, 1, 1]"


def test_threads_share_a_tagger(astronaut):
    assert seen("executor", "thread", astronaut) == "[1, 1, 1, 1, 1]"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("method", METHODS)
def test_workers_of_pytorch_find_the_face(method, astronaut):
    assert seen("loader", method, astronaut) == "[1, 1, 1, 1, 1]"


@FORKS
@pytest.mark.parametrize(
    ("situation", "answer"),
    [("busy", "[1, 1, 1, 1, 1]"), ("grandchild", "[1, 1, 1, 1]"), ("ends", "[7, 7]"), ("handler", "[1, 1]")],
)
def test_a_fork_at_any_time_answers(situation, answer, astronaut):
    assert seen(situation, "fork", astronaut) == answer
