"""Boxes of the rival detectors in a list of pictures, as CSV rows: file,x,y,width,height,score.

    python3 detectors.py NAME MODELS < list of pictures > boxes.csv

NAME is yunet, ultraface (their ONNX files lie in the folder MODELS), haar or mtcnn. Needs, from PyPI, opencv-python-headless and, for mtcnn,
facenet-pytorch. Thresholds are as low as each detector allows, since curves are drawn over scores; everything else is what its makers set.
"""

import csv
import os
import sys

import cv2
import numpy as np


def yunet(models):
    path = os.path.join(models, "yunet_n_dynamic.onnx")
    detector = cv2.FaceDetectorYN.create(path, "", (320, 320), score_threshold=0.02, nms_threshold=0.3, top_k=5000)

    def find(picture):
        detector.setInputSize((picture.shape[1], picture.shape[0]))
        found = detector.detect(picture)[1]
        return [(*row[:4], row[14]) for row in (found if found is not None else [])]

    return find


def ultraface(models):
    net = cv2.dnn.readNetFromONNX(os.path.join(models, "ultraface_RFB-320.onnx"))

    def find(picture):
        height, width = picture.shape[:2]
        net.setInput(cv2.dnn.blobFromImage(picture, 1 / 128, (320, 240), (127, 127, 127), swapRB=True))
        outputs = dict(zip(net.getUnconnectedOutLayersNames(), net.forward(net.getUnconnectedOutLayersNames())))
        scores = next(value for value in outputs.values() if value.shape[-1] == 2)[0, :, 1]
        boxes = next(value for value in outputs.values() if value.shape[-1] == 4)[0]
        boxes = boxes * np.array([width, height, width, height])
        boxes[:, 2:] -= boxes[:, :2]
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.astype(float).tolist(), 0.02, 0.3)
        return [(*boxes[i], scores[i]) for i in np.asarray(kept).reshape(-1)]

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
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(2)
    detector = MTCNN(keep_all=True, thresholds=[0.5, 0.5, 0.3], post_process=False)

    def find(picture):
        boxes, scores = detector.detect(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        if boxes is None:
            return []
        return [(x, y, right - x, low - y, score) for (x, y, right, low), score in zip(boxes, scores)]

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
