"""A tagger and the processes that use it: ``python processes.py SITUATION METHOD PICTURE`` prints how many faces each saw.

A program of its own, as processes that are spawned import what started them. ``test_processes.py`` runs it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from lineament import Tagger

tagger = Tagger(threads=2)


def faces(path: str) -> int:
    return len(tagger.predict(path).faces)


def faces_by(given: Tagger, path: str) -> int:
    return len(given.predict([path, path])[1].faces)


def pool(method: str, path: str) -> list[int]:
    with multiprocessing.get_context(method).Pool(2) as workers:
        return workers.map_async(faces, [path] * 4).get(100) + workers.starmap_async(faces_by, [(tagger, path)]).get(100)


def executor(method: str, path: str) -> list[int]:
    if method == "thread":
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(faces, [path] * 5))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as workers:
        return [*workers.map(faces, [path] * 4), workers.submit(faces_by, tagger, path).result()]


class Photos:
    """A data set of PyTorch."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> int:
        return faces(self.path)


def loader(method: str, path: str) -> list[int]:
    from torch.utils.data import DataLoader

    return [int(seen) for batch in DataLoader(Photos(path), batch_size=2, num_workers=2, multiprocessing_context=method) for seen in batch]


def forked(work) -> int:
    """What a forked process answers as its status; 99 where it does not within a minute."""
    child = os.fork()
    if child == 0:
        end(work)
    return ended(child)


def end(work) -> None:
    """Ends this process with what the work answers, or 98 where it raises."""
    status = 98
    try:
        status = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(child: int) -> int:
    for _ in range(600):
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 99


def busy(_: str, path: str) -> list[int]:
    """Processes are forked while another thread's calls go on: its first one, which makes ready what all later ones use, and others."""
    going = threading.Event()

    def work() -> None:
        while not going.is_set():
            tagger.predict([path] * 4)
            Tagger(threads=1)

    thread = threading.Thread(target=work)
    thread.start()
    seen = []
    for pause in (0.0, 0.02, 0.05, 0.2, 0.4):
        time.sleep(pause)
        seen.append(forked(lambda: faces(path)))
    going.set()
    thread.join()
    return seen


def grandchild(_: str, path: str) -> list[int]:
    """A fork of a fork, of which the first has called, and the parent again at the end."""
    return [faces(path), forked(lambda: faces(path)), forked(lambda: faces(path) * forked(lambda: faces(path))), faces(path)]


def ends(_: str, path: str) -> list[int]:
    """Forked processes that end as programs do, or drop the tagger, with its threads at work in the parent."""
    global tagger
    thread = threading.Thread(target=lambda given: given.predict([path] * 8), args=(tagger,))
    thread.start()
    time.sleep(0.2)
    children = []
    for drops in (True, False):
        child = os.fork()
        if child == 0:
            if drops:
                del tagger
            sys.exit(7)
        children.append(child)
    seen = [ended(child) for child in children]
    thread.join()
    return seen


def handler(_: str, path: str) -> list[int]:
    """A signal handler forks in the midst of a call: there it raises and can be made again, here it goes on."""
    children = []
    signal.signal(signal.SIGALRM, lambda *_: children.append(os.fork()))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        seen = len(tagger.predict([path] * 40))
    except RuntimeError as error:
        said = str(error)
        end(lambda: faces(path) if "forked" in said else 97)
    return [seen // 40, *map(ended, children)]


if __name__ == "__main__":
    print(globals()[sys.argv[1]](*sys.argv[2:]))
