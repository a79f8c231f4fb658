"""Data sets out and in: python3 datasets_check.py PROGRAM EXAMPLES."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image
import supervision
from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PROGRAM, EXAMPLES = sys.argv[1], Path(sys.argv[2]).absolute()


def lineament(*arguments: str, cwd: Path) -> str:
    call = subprocess.run([PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True)
    assert call.returncode == 0, f"{arguments}: {call.stderr}"
    return call.stdout


def photos(folder: Path) -> None:
    """The examples, and faces that are turned, cut by the edge, small, of the same name, and turned by EXIF."""
    (folder / "other").mkdir(parents=True)
    images = {name: PIL.Image.open(EXAMPLES / f"{name}.png").convert("RGB") for name in ("astronaut", "coffee", "chelsea")}
    astronaut = images["astronaut"]
    for name, image in images.items():
        image.save(folder / f"{name}.png")
    astronaut.rotate(25, expand=True).save(folder / "turned face.png")
    astronaut.crop((215, 40, 420, 250)).save(folder / "cut.png")
    astronaut.save(folder / "astronaut.jpg", quality=95)
    two = PIL.Image.new("RGB", (1024, 512))
    two.paste(astronaut, (0, 0))
    two.paste(astronaut.resize((384, 384)), (560, 60))
    two.save(folder / "other" / "two.png")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    astronaut.transpose(PIL.Image.Transpose.ROTATE_90).save(folder / "other" / "exif.jpg", exif=exif, quality=95)


def clipped(page: dict) -> list[list[float]]:
    """The boxes of an image as left, top, right, bottom, inside of it."""
    boxes = []
    for face in page["faces"]:
        x, y, width, height = (face["box"][side] for side in ("x", "y", "width", "height"))
        boxes.append([max(x, 0), max(y, 0), min(x + width, page["width"]), min(y + height, page["height"])])
    return boxes


def same(found: list, expected: list, what: str) -> None:
    assert len(found) == len(expected), f"{what}: {len(found)} boxes, {len(expected)} expected"
    for one, other in zip(sorted(map(list, found)), sorted(expected)):
        assert max(abs(a - b) for a, b in zip(one, other)) <= 1, f"{what}: {one} {other}"


def corners(box: list[float]) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y + height]


def check_coco(stage: Path, pages: dict[str, dict]) -> None:
    lineament("predict", "photos", "--format", "coco", "--output", "coco.json", cwd=stage)
    coco = COCO(str(stage / "coco.json"))
    images = {image["file_name"]: image for image in coco.loadImgs(coco.getImgIds())}
    assert set(images) == set(pages)
    for name, page in pages.items():
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[images[name]["id"]]))
        assert (images[name]["width"], images[name]["height"]) == (page["width"], page["height"])
        same([corners(annotation["bbox"]) for annotation in annotations], clipped(page), f"COCO, {name}")
        for annotation, face in zip(annotations, page["faces"]):
            assert annotation["attributes"] == {attribute: said["value"] for attribute, said in face["attributes"].items()}
    # Scored as COCO scores detections: against itself all are right.
    scored = COCOeval(coco, coco.loadRes(coco.dataset["annotations"]), "bbox")
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    assert scored.stats[0] > 0.999, scored.stats


def check_yolo(stage: Path, pages: dict[str, dict]) -> None:
    lineament("predict", "photos", "--format", "yolo", "--output", "yolo", cwd=stage)
    seen = set()
    for folder in ("", "other"):
        data = supervision.DetectionDataset.from_yolo(
            images_directory_path=str(stage / "yolo" / "images" / folder),
            annotations_directory_path=str(stage / "yolo" / "labels" / folder),
            data_yaml_path=str(stage / "yolo" / "data.yaml"),
        )
        assert data.classes == ["face"]
        for path, _, found in data:
            real = os.path.relpath(os.path.realpath(path), os.path.realpath(stage / "photos"))
            seen.add(real)
            if len(found):
                assert set(found.class_id) == {0}
            # supervision opens with EXIF's orientation, as YOLO does.
            same(found.xyxy.tolist(), clipped(pages[real]), f"YOLO, {real}")
    assert seen == set(pages), seen ^ set(pages)


def check_label_studio(stage: Path, pages: dict[str, dict]) -> None:
    prefix = "/data/local-files/?d=photos/"
    call = ["predict", "photos", "--format", "label-studio", "--image-prefix", prefix, "--output", "tasks.json"]
    lineament(*call, cwd=stage)
    tasks = json.loads((stage / "tasks.json").read_text())
    config = (stage / "tasks.config.xml").read_text()
    interface = LabelInterface(config)
    for task in tasks:
        # Its check of a whole task calls the one of predictions without any.
        assert interface.validate_task({"data": task["data"]}), task
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction), interface.validate_prediction(prediction, return_errors=True)
    # As if somebody had looked at each and pressed "submit".
    export = []
    for number, task in enumerate(tasks, 1):
        result = task["predictions"][0]["result"]
        annotation = {"id": number, "result": result, "was_cancelled": False, "created_at": "2026-01-01T00:00:00Z"}
        export.append({"id": number, "data": task["data"], "annotations": [annotation]})
    (stage / "export.json").write_text(json.dumps(export))
    converter = Converter(config, project_dir=None, download_resources=False)
    converter.convert_to_coco(str(stage / "export.json"), str(stage / "from-ls"), is_dir=False)
    coco = COCO(str(stage / "from-ls" / "result.json"))
    assert len(coco.imgs) == len(pages)
    for task, (number, image) in zip(tasks, sorted(coco.imgs.items())):
        page = pages[os.path.relpath(task["data"]["path"], "photos")]
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        boxes = [corners(annotation["bbox"]) for annotation in annotations]
        same(boxes, clipped(page), f"Label Studio, {task['data']['path']}")


def check_back(stage: Path, faceless: int) -> None:
    """Labels that come back are those that went out: the model agrees with itself wherever the largest face is the one that it reads."""
    for name in ("export.json", "coco-one.json"):
        found = json.loads(lineament("evaluate", "--data", name, "--format", "json", cwd=stage))
        assert found["mean_accuracy"] == 1.0 and found["faces_missed"] == faceless, (name, found["mean_accuracy"], found["faces_missed"])
        # Boxes inside of the image are a little less than boxes that reach beyond it.
        assert found["localisation"]["mean_iou"] > 0.9, (name, found["localisation"])
        print(f"{name}: {found['images']} pictures, {len(found['attributes'])} attributes, all as they were")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        photos(stage / "photos")
        told = json.loads(lineament("predict", "photos", "--format", "json", cwd=stage))
        pages = {os.path.relpath(page["path"], "photos"): page for page in told}
        assert sum(len(page["faces"]) for page in told) >= 7, {name: len(page["faces"]) for name, page in pages.items()}
        check_coco(stage, pages)
        check_yolo(stage, pages)
        check_label_studio(stage, pages)
        # Below the folder of photos, as the tool that labelled may have known them.
        coco = json.loads((stage / "coco.json").read_text())
        for image in coco["images"]:
            image["file_name"] = f"photos/{image['file_name']}"
        (stage / "coco-one.json").write_text(json.dumps(coco))
        check_back(stage, sum(not page["faces"] for page in told))


main()
