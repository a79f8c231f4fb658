"""YuNet in ONNX Runtime, run whenever a line comes in.

    python3 yunet.py MODEL IMAGE LONGEST THREADS    (pip install numpy pillow onnxruntime)

The image is read once and shrunk until its longer side has LONGEST pixels at most. For each line of standard input the net runs once, and a line goes out:
a first one, with the sides of what it sees, when it is ready. Decoding, drawing and what is read from its outputs are left out.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

STRIDE = 32


def main(model, path, longest, threads):
    image = Image.open(path).convert("RGB")
    image.thumbnail((int(longest), int(longest)))
    width, height = (-(-side // STRIDE) * STRIDE for side in image.size)
    padded = Image.new("RGB", (width, height))
    padded.paste(image)
    pixels = np.asarray(padded, np.float32)[..., ::-1].transpose(2, 0, 1)[None].copy()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    print(width, height, flush=True)
    for _ in sys.stdin:
        session.run(None, {name: pixels})
        print(flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
