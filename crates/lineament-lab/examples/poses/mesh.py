"""Which way faces look by MediaPipe's face mesh, as it installs: paths of images on standard input, a line each; prints a line of JSON each.

    pip install mediapipe==0.10.21
    python3 mesh.py <FILES >mediapipe.jsonl

The axes of a head are those of its mesh: from the right side of the face to the left (points 234 and 454), and from the chin to the
forehead (152 and 10), with the depth that the mesh has, which MediaPipe gives on the scale of the width. Degrees, with the signs of Lineament's.
"""

import json
import math
import os
import sys

import mediapipe
from PIL import Image
import numpy

with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=5, min_detection_confidence=0.1) as mesh:
    for line in sys.stdin:
        path = line.strip()
        image = Image.open(path).convert("RGB")
        width, height = image.size
        faces = []
        for found in mesh.process(numpy.asarray(image)).multi_face_landmarks or []:
            points = [(point.x * width, point.y * height, point.z * width) for point in found.landmark]
            left, top = (min(point[axis] for point in points) for axis in (0, 1))
            right, bottom = (max(point[axis] for point in points) for axis in (0, 1))
            across = [b - a for a, b in zip(points[234], points[454])]
            upwards = [b - a for a, b in zip(points[152], points[10])]
            angle = lambda vector: math.degrees(math.atan2(vector[2], math.hypot(vector[0], vector[1])))
            roll = math.degrees(math.atan2(across[1], across[0]))
            faces.append({"box": [left, top, right - left, bottom - top], "yaw": angle(across), "pitch": angle(upwards), "roll": roll})
        print(json.dumps({"name": os.path.basename(path), "faces": faces}), flush=True)
