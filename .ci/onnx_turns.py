"""Times faces.onnx in ONNX Runtime and the native engine in turns, one thread each.

    onnx_turns.py PROGRAM IMAGE GRAPH...

PROGRAM is the example predict_turns of the crate lineament, built with --release. Both get decoded RGB and give faces with
attributes. What counts is processor time, which other programs on the machine lengthen less than time on the clock. Needs
numpy, onnxruntime and pillow; run it on one core (taskset -c 1).
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

ROUNDS = 15


def processor(process):
    """Milliseconds that all threads of a process have had."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def main(program, image, graphs):
    native = subprocess.Popen([program, image], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    pixels = np.asarray(Image.open(image).convert("RGB"))
    inputs = {"image": pixels, "smallest_face": np.zeros(1, np.float32), "threshold": np.full(1, 1.1388, np.float32)}
    sessions = []
    for graph in graphs:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        sessions.append(onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]))

    def of_native():
        begun = processor(native)
        native.stdin.write("\n")
        native.stdout.readline()
        return processor(native) - begun

    def of_graph(session):
        begun = time.process_time()
        session.run(None, inputs)
        return 1e3 * (time.process_time() - begun)

    turns = [of_native, *(lambda session=session: of_graph(session) for session in sessions)]
    for turn in turns:
        turn()
    rounds = [[min(turn() for _ in range(3)) for turn in turns] for _ in range(ROUNDS)]
    for name, times in zip(["native", *graphs], zip(*rounds)):
        ratio = statistics.median(time / of_round[0] for time, of_round in zip(times, rounds))
        print(f"{name}: median {statistics.median(times):.1f} ms, {ratio:.2f} times the native engine's")
    native.stdin.close()
    native.wait()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
