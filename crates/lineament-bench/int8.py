"""Times exported graphs in ONNX Runtime against what its static quantisation makes of them.

    python3 int8.py FOLDER THREADS ROUNDS    (pip install numpy onnx onnxruntime)

FOLDER is what `lineament export --onnx FOLDER` wrote. Prints a line of JSON for each graph and batch: medians in milliseconds, and how far the outputs lie
apart. Calibrated on noise: what is asked here is the time, which does not depend on it.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

# Graph, input, heights and widths, batches: what `predict` runs on a photo of one face.
CASES = [("lnet_o", "pixels", 208, [1]), ("lnet_s", "pixels", 62, [1, 6]), ("anet", "patches", 88, [1, 2, 64])]


class Inputs(CalibrationDataReader):
    def __init__(self, name, values):
        self.left = iter([{name: each} for each in values])

    def get_next(self):
        return next(self.left, None)


def noise(side):
    random = np.random.default_rng(1)
    return [random.normal(size=(1, 3, side, side)).astype(np.float32) for _ in range(16)]


def quantised(graph, kept, given, values, method=CalibrationMethod.MinMax):
    """The path, in folder `kept`, of what static quantisation makes of a graph whose input `given` is like `values`."""
    ready, small = Path(kept, "ready.onnx"), Path(kept, "small.onnx")
    quant_pre_process(str(graph), str(ready), skip_symbolic_shape=True)
    quantize_static(
        str(ready), str(small), Inputs(given, values), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=method,
        extra_options={"ActivationSymmetric": False},
    )
    return small


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main(folder, threads, rounds):
    with tempfile.TemporaryDirectory() as kept:
        for name, given, side, batches in CASES:
            small = quantised(folder / f"{name}.onnx", kept, given, noise(side))
            full, eight = session(folder / f"{name}.onnx", threads), session(small, threads)
            for batch in batches:
                shape = (batch, 3, side, side)
                pixels = {given: np.random.default_rng(2).normal(size=shape).astype(np.float32)}
                times = {"full": [], "eight": []}
                for _ in range(rounds):
                    for key, rival in (("full", full), ("eight", eight)):
                        rival.run(None, pixels)
                        start = time.perf_counter()
                        rival.run(None, pixels)
                        times[key].append(1e3 * (time.perf_counter() - start))
                one, other = full.run(None, pixels)[0], eight.run(None, pixels)[0]
                found = {key: statistics.median(values) for key, values in times.items()}
                apart = float(np.abs(one - other).mean() / np.abs(one).mean())
                print(json.dumps({"net": name, "shape": "x".join(map(str, shape)), "apart": apart, **found}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
