"""Compares the whole model's graph in OpenVINO with ONNX Runtime.

    onnx_openvino.py GRAPH PHOTO
"""

import sys

import numpy as np
import onnxruntime
import openvino
from PIL import Image

from onnx_whole import iou


def main(graph, photo):
    # By itself it computes in bfloat16 where the processor can, coordinates as well.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.compile_model(openvino.Core().read_model(graph), "CPU", exact)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    failed = False

    def both(image):
        inputs = {"image": image, "smallest_face": np.zeros(1, np.float32), "threshold": np.full(1, 1.1388, np.float32)}
        found = model(inputs)
        return {name: found[name] for name in names}, dict(zip(names, session.run(names, inputs)))

    ours, expected = both(np.asarray(Image.open(photo).convert("RGB")))
    if len(ours["boxes"]) != len(expected["boxes"]):
        sys.exit(f"OpenVINO finds {len(ours['boxes'])} faces, ONNX Runtime {len(expected['boxes'])}")
    overlap = min(iou(a, b) for a, b in zip(ours["boxes"], expected["boxes"]))
    apart = np.abs(ours["probabilities"] - expected["probabilities"]).mean()
    print(f"OpenVINO {openvino.__version__}: least IoU {overlap:.3f}, probabilities differ by {apart:.4f} on average")
    failed |= overlap < 0.9 or apart > 0.02
    for shape in [(30, 30), (300, 400), (1, 1), (1, 500)]:
        try:
            faces = len(both(np.full((*shape, 3), 128, np.uint8))[0]["boxes"])
        except RuntimeError as error:
            print(f"OpenVINO on grey of {shape}: {str(error).strip().splitlines()[-1]}")
            failed = True
            continue
        if faces:
            print(f"OpenVINO finds {faces} faces in grey of {shape}")
            failed = True
    if failed:
        sys.exit("OpenVINO doesn't compute what ONNX Runtime computes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
