"""What eight-bit integers cost: the mean accuracy of a model's attributes with ANet in full precision and in ONNX Runtime's static quantisation.

    python3 int8_accuracy.py FOLDER CELEBA    (pip install numpy onnx onnxruntime opencv-python-headless)

FOLDER is what `lineament export --onnx FOLDER` wrote, with the model's card as `card.json` beside it. Calibrated on faces of the training part of the
aligned pictures, compared on the validation part, regions by landmarks. Prints a line of JSON for each operating point.
"""

import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from int8 import quantised, session
from onnxruntime.quantization import CalibrationMethod

TRAINING, VALIDATION = "0", "1"
# Faces that the ranges of activations are taken from.
CALIBRATED = 300
METHODS = {"least to most": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}


def table(path, skip):
    rows = (line.split() for line in path.read_text().splitlines()[skip:])
    return {row[0]: row[1:] for row in rows if row}


def patches_of(card, picture, landmarks):
    """N x 3 x side x side, as the export's README says."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:5].mean(axis=0)
    region, patches = card["region"], card["patches"]
    d = max(np.linalg.norm(mouth - eyes), region["eyes"] * np.linalg.norm(landmarks[1] - landmarks[0]))
    side = region["span"] * d
    corner = eyes + [0, region["drop"] * d] - side / 2
    scale = patches["region"] / side
    place = np.float32([[scale, 0, -corner[0] * scale + (scale - 1) / 2], [0, scale, -corner[1] * scale + (scale - 1) / 2]])
    size = (patches["region"],) * 2
    drawn = cv2.warpAffine(picture, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[..., ::-1]
    preprocess = card["preprocess"]
    planes = (drawn.astype(np.float32) / 255 - np.float32(preprocess["mean"])) / np.float32(preprocess["std"])
    planes = planes.transpose(2, 0, 1)
    seen = []
    for index, (x, y) in enumerate(patches["offsets"]):
        patch = planes[:, y : y + patches["size"], x : x + patches["size"]]
        seen.append(patch[..., ::-1] if patches["mirror"] == "turns" and index % 2 == 1 else patch)
        if patches["mirror"] == "beside":
            seen.append(patch[..., ::-1])
    return np.ascontiguousarray(np.stack(seen), dtype=np.float32)


def faces(card, celeba, part):
    """Patches and tags of a part's pictures, in the order of their names."""
    parts = table(celeba / "Eval/list_eval_partition.txt", 0)
    landmarks, tags = table(celeba / "Anno/list_landmarks_align_celeba.txt", 2), table(celeba / "Anno/list_attr_celeba.txt", 2)
    columns = (celeba / "Anno/list_attr_celeba.txt").read_text().splitlines()[1].split()
    order = [columns.index(attribute["name"]) for attribute in card["attributes"]]
    for name in sorted(name for name, (number, *_) in parts.items() if number == part):
        picture = cv2.imread(str(celeba / "Img/img_align_celeba" / name))
        if picture is not None and name in landmarks and name in tags:
            points = np.float32(landmarks[name]).reshape(5, 2)
            yield patches_of(card, picture, points), np.array(tags[name], dtype=int)[order] > 0


def main(folder, celeba):
    card = json.loads((folder / "card.json").read_text())
    seen = [patches for (patches, _), _ in zip(faces(card, celeba, TRAINING), range(CALIBRATED))]
    validation = list(faces(card, celeba, VALIDATION))
    truth = np.stack([tags for _, tags in validation])
    heads = session(folder / "heads.onnx", 0)

    def scores(anet):
        vectors = (anet.run(["vectors"], {"patches": patches})[0] for patches, _ in validation)
        return np.stack([heads.run(["scores"], {"vectors": each})[0] for each in vectors])

    with tempfile.TemporaryDirectory() as kept:
        nets = {"single precision": session(folder / "anet.onnx", 0)}
        for name, method in METHODS.items():
            nets[f"int8, {name}"] = session(quantised(folder / "anet.onnx", kept, "patches", seen, method), 0)
        found = {name: scores(anet) for name, anet in nets.items()}
    for point in ("accuracy", "balanced"):
        thresholds = np.float32([attribute["thresholds"][point] for attribute in card["attributes"]])
        for name, values in found.items():
            right = (values > thresholds) == truth
            hits = [right[truth[:, a], a].mean() for a in range(truth.shape[1])]
            passes = [right[~truth[:, a], a].mean() for a in range(truth.shape[1])]
            line = {"pictures": len(validation), "precision": name, "point": point, "accuracy": float(right.mean()),
                    "balanced": float(np.mean([hits, passes]))}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
