"""The npm package as installed, in a real Chromium: npm_browser.py MODULES EXAMPLES EXPECTED BUNDLED.

MODULES is a node_modules folder with lineament and onnxruntime-web, EXPECTED what `lineament predict --format json` says of EXAMPLES, BUNDLED
npm/test/bundled as a bundler builds it. Gives it photos of all kinds that browsers know, and what is none.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright
from static import serve

MODULES, EXAMPLES, EXPECTED = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), json.loads(Path(sys.argv[3]).read_text())
PAGE = """<!doctype html><title>lineament</title><link rel="icon" href="data:,"><script type="importmap">{"imports": {
"lineament": "/modules/lineament/browser.js", "onnxruntime-web/wasm": "/modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs"}}</script>"""

CHECK = """async (paths) => {
  const { ImageError, Tagger } = await import("lineament");
  const tagger = await Tagger.load();
  const file = (path) => fetch(path).then((response) => response.blob());
  const answers = [];
  for (const path of paths) answers.push({ path, ...JSON.parse(JSON.stringify(await tagger.predict(await file(path)))) });

  const blob = await file("/examples/astronaut.png");
  const plain = JSON.stringify(await tagger.predict(blob));
  const image = Object.assign(new Image(), { src: "/examples/astronaut.png" });
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 512, height: 512 });
  canvas.getContext("2d").drawImage(image, 0, 0);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const same = { bytes, buffer: bytes.buffer, image, canvas, bitmap: await createImageBitmap(blob), pixels: canvas.getContext("2d").getImageData(0, 0, 512, 512) };
  const wrong = [];
  for (const [name, photo] of Object.entries(same)) if (JSON.stringify(await tagger.predict(photo)) !== plain) wrong.push(`${name}: another answer`);

  const pixels = (length, width, height) => ({ data: new Uint8Array(length), width, height });
  const none = { nothing: new Blob(), text: new Blob(["no photo"]), cut: bytes.subarray(0, 20), empty: pixels(0, 0, 0), odd: pixels(13, 2, 2) };
  for (const [name, photo] of Object.entries(none)) {
    const error = await tagger.predict(photo).then(() => null, (one) => one);
    if (!(error instanceof ImageError)) wrong.push(`${name}: ${error}`);
  }
  for (const photo of [7, null, {}, "photo.jpg", document.body]) {
    const error = await tagger.predict(photo).then(() => null, (one) => one);
    if (!(error instanceof TypeError)) wrong.push(`${photo}: ${error}`);
  }
  const grey = await tagger.predict(pixels(9000, 1, 9000));
  if (grey.faces.length) wrong.push("a strip has faces");
  if (JSON.stringify(await tagger.predict(blob)) !== plain) wrong.push("the last answer differs from the first");
  await tagger.release();
  return { answers, wrong, isolated: crossOriginIsolated };
}"""


def overlap(a, b):
    width = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    shared = max(0, width) * max(0, height)
    return shared / (a["width"] * a["height"] + b["width"] * b["height"] - shared)


def compare(answers):
    for found, wanted in zip(answers, EXPECTED, strict=True):
        assert [*found] == [*wanted] and len(found["faces"]) == len(wanted["faces"]), (found, wanted)
        for face, other in zip(found["faces"], wanted["faces"], strict=True):
            assert [*face] == [*other] and [*face["attributes"]] == [*other["attributes"]]
            assert overlap(face["box"], other["box"]) >= 0.9, (face["box"], other["box"])
            differences = [abs(one["probability"] - face["attributes"][name]["probability"]) for name, one in other["attributes"].items()]
            assert sum(differences) / len(differences) <= 0.02, differences


def bundled(browser, folder, headers):
    """What a bundler made runs, with threads and without: their script must be a file of its own."""
    page = browser.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(serve(folder, headers))
    end = time.monotonic() + 60
    while not page.title() and not said and time.monotonic() < end:
        time.sleep(0.1)
    assert not said and page.title() == f"0 faces, {'isolated' if headers else 'alone'}", (page.title(), said)
    page.close()


with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
    Path(folder, "index.html").write_text(PAGE)
    os.symlink(MODULES, Path(folder, "modules"))
    os.symlink(EXAMPLES, Path(folder, "examples"))
    chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    for headers in ({}, {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}):
        page = chromium.new_page()
        said = []
        page.on("console", lambda message: message.type in ("error", "warning") and said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(serve(folder, headers))
        result = page.evaluate(CHECK, [f"/examples/{Path(one['path']).name}" for one in EXPECTED])
        assert result["isolated"] == bool(headers)
        assert not result["wrong"], result["wrong"]
        assert not said, said
        compare(result["answers"])
        page.close()
        bundled(chromium, sys.argv[4], headers)
    chromium.close()
print("the npm package in Chromium: nothing wrong")
