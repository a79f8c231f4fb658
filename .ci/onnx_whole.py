"""Compares the whole model's graph in ONNX Runtime with the native engine.

    onnx_whole.py FOLDER LINEAMENT EXAMPLES

FOLDER holds faces.onnx and README.md of `lineament export --whole`, LINEAMENT is the program, EXAMPLES a folder with
astronaut.png, coffee.png and others. Crowds are made of them: the astronaut's face many times, in several sizes and turned.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

LEAST_IOU = 0.9
MEAN_DIFFERENCE = 0.02
# Of an output's largest value; sums of bytes are rounded in another way.
WEB, WEB_IN_BYTES = 1e-3, 0.1
CROWDS = [(480, 900, 6), (1000, 700, 12), (1600, 900, 24)]  # width, height, faces


def crowd(examples, width, height, faces):
    """A still life with so many faces on it, none over another."""
    chance = random.Random(faces)
    canvas = Image.open(examples / "coffee.png").convert("RGB").resize((width, height))
    face = Image.open(examples / "astronaut.png").convert("RGB").crop((120, 0, 330, 230))
    taken = []
    while len(taken) < faces:
        side = int(chance.uniform(0.25, 0.9) * 230)
        x, y = chance.randrange(width - side), chance.randrange(height - side)
        if any(abs(x - left) < max(side, other) and abs(y - top) < max(side, other) for left, top, other in taken):
            continue
        taken.append((x, y, side))
        turned = face.rotate(chance.uniform(-20, 20), resample=Image.Resampling.BICUBIC, fillcolor=(120, 120, 120))
        canvas.paste(turned.resize((side * 210 // 230, side), Image.Resampling.LANCZOS), (x, y))
    return canvas


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def run(session, image, smallest_face=0.0, threshold=None):
    values = {"smallest_face": smallest_face, "threshold": session.threshold if threshold is None else threshold}
    inputs = {name: np.full(1, value, dtype=np.float32) for name, value in values.items()}
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image, **inputs})))


def compare(session, program, paths):
    call = [program, "predict", "--format", "json", *map(str, paths)]
    native = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    names = session.get_modelmeta().custom_metadata_map["attributes"].split(",")
    overlaps, differences = [], []
    for path, photo in zip(paths, native):
        found = run(session, np.asarray(Image.open(path).convert("RGB")))
        faces = photo["faces"]
        if len(faces) != len(found["boxes"]):
            sys.exit(f"{path.name}: {len(found['boxes'])} faces where the native engine finds {len(faces)}")
        for face in faces:
            box = [face["box"][side] for side in ("x", "y", "width", "height")]
            own = [iou(box, other) for other in found["boxes"]]
            best = int(np.argmax(own))
            expected = [face["attributes"][name]["probability"] for name in names]
            overlaps.append(own[best])
            differences.append(float(np.abs(found["probabilities"][best] - expected).mean()))
    print(
        f"faces.onnx: {len(overlaps)} faces in {len(paths)} photos, least IoU {min(overlaps):.3f}, probabilities differ by "
        f"{np.mean(differences):.4f} on average, by {max(differences):.4f} in the worst face"
    )
    if min(overlaps) < LEAST_IOU or max(differences) > MEAN_DIFFERENCE:
        sys.exit("the whole graph does not find what the native engine finds")


def web(session, folder, photo):
    """onnxruntime-web's wasm build says the same of a photo. NODE_PATH leads to it."""
    image = np.asarray(Image.open(photo).convert("RGB"))
    with tempfile.NamedTemporaryFile() as pixels:
        pixels.write(image.tobytes())
        pixels.flush()
        script = Path(__file__).parent / "onnx_web.js"
        call = ["node", script, folder / "faces.onnx", pixels.name, *map(str, image.shape[:2]), str(session.threshold)]
        printed = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    worst = 0
    for name, expected in run(session, image).items():
        found = np.array(printed[name]["data"]).reshape(printed[name]["dims"])
        if found.shape != expected.shape or len(found) == 0:
            sys.exit(f"onnxruntime-web gives {name} as {found.shape}, ONNX Runtime as {expected.shape}")
        worst = max(worst, np.abs(found - expected).max() / np.abs(expected).max())
    print(f"onnxruntime-web: outputs differ by {worst:.1e} of the largest value")
    in_bytes = "eight-bit integers" in (folder / "README.md").read_text()
    if worst > (WEB_IN_BYTES if in_bytes else WEB):
        sys.exit("onnxruntime-web does not compute what ONNX Runtime computes")


def refuse(session):
    """What is no photo gives no face or an error."""
    onnxruntime.set_default_logger_severity(4)
    for shape in [(0, 0, 3), (0, 5, 3), (1, 9000, 3), (9000, 1, 3), (1, 1, 3), (30, 30, 3)]:
        grey = np.full(shape, 128, dtype=np.uint8)
        for smallest_face, threshold in [(0, None), (8, 0), (1e9, 0), (np.nan, np.nan), (-5, np.inf)]:
            found = run(session, grey, smallest_face, threshold)
            if any(len(value) != 0 for value in found.values()):
                sys.exit(f"a grey photo of {shape} has faces: {found['boxes']}")
    for shape in [(64, 64), (64, 64, 1), (64, 64, 4)]:
        try:
            run(session, np.zeros(shape, dtype=np.uint8))
        except Exception:
            continue
        sys.exit(f"an image of {shape} was not refused")


def page(session, folder, photo):
    """The page's programs in Python and JavaScript find the astronaut. NODE_PATH leads to onnxruntime-node and sharp."""
    text = (folder / "README.md").read_text()
    python, javascript = (re.search(rf"```{language}\n(.*?)```", text, re.S).group(1) for language in ("python", "javascript"))
    call = [sys.executable, "-c", python, str(photo)]
    printed = subprocess.run(call, check=True, capture_output=True, text=True, cwd=folder).stdout.splitlines()
    if len(printed) != 1 or not float(printed[0].split("smiling: ")[1]) > 0.9:
        sys.exit(f"the page's example in Python printed {printed}")
    # `node -` reads the program from its input, so the photo comes after it.
    call = ["node", "-", str(photo)]
    printed = subprocess.run(call, input=javascript, check=True, capture_output=True, text=True, cwd=folder).stdout
    box = [float(number) for number in re.findall(r"-?\d+\.\d+", printed)[:4]]
    if np.abs(run(session, np.asarray(Image.open(photo).convert("RGB")))["boxes"][0] - box).max() > 0.1:
        sys.exit(f"the page's example in JavaScript printed {printed}")


def main(folder, program, examples):
    model = onnx.load(folder / "faces.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(folder / "faces.onnx"), options, providers=["CPUExecutionProvider"])
    session.threshold = float(re.search(r"([-\d.e]+) is the model's own", (folder / "README.md").read_text()).group(1))
    with tempfile.TemporaryDirectory() as work:
        paths = sorted(examples.glob("*.png"))
        for width, height, faces in CROWDS:
            paths.append(Path(work) / f"crowd-{faces}.png")
            crowd(examples, width, height, faces).save(paths[-1])
        compare(session, program, paths)
    refuse(session)
    web(session, folder, examples / "astronaut.png")
    page(session, folder, examples / "astronaut.png")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), os.path.abspath(sys.argv[2]), Path(sys.argv[3]).resolve())
