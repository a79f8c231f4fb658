"""Times lineament's npm package against human and face-api, all on WebAssembly in one page of Chromium.

    compare.py MODULES EXAMPLES [--photos DIR] [--threads N] [--rounds N] [--only NAME,NAME] [--json FILE]

MODULES is a node_modules folder with lineament, @vladmandic/human, @vladmandic/face-api, @tensorflow/tfjs-backend-wasm and
onnxruntime-web (npm/compare/run makes one). Without --photos the photos are those of EXAMPLES and crowds drawn from them.
"""

import argparse
import functools
import http.server
import json
import os
import platform
import statistics
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
PAGE = """<!doctype html><title>compare</title><script type="importmap">
{"imports": {"lineament": "/modules/lineament/browser.js", "human": "/modules/@vladmandic/human/dist/human.esm.js",
 "face-api": "/modules/@vladmandic/face-api/dist/face-api.esm.js",
 "onnxruntime-web/wasm": "/modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs"}}
</script><script type="module" src="/compare/compare.js"></script>"""
FILES = {
    "wasm": "/modules/@tensorflow/tfjs-backend-wasm/dist/",
    "human": "/modules/@vladmandic/human/models/",
    "faceapi": "/modules/@vladmandic/face-api/model/",
}
PACKAGES = ["lineament", "onnxruntime-web", "@vladmandic/human", "@vladmandic/face-api", "@tensorflow/tfjs-backend-wasm"]


class Files(http.server.SimpleHTTPRequestHandler):
    """Folders under names of their own, to a page that may use threads."""

    folders = {}

    def translate_path(self, path):
        _, folder, *rest = path.split("?")[0].split("/")
        return str(self.folders.get(folder, HERE / "nowhere") / "/".join(rest))

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        pass


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())


def measured(arguments, names):
    folders = {"modules": arguments.modules, "examples": arguments.examples, "compare": HERE}
    addresses = []
    if arguments.photos:
        folders["photos"] = arguments.photos
        addresses = [f"/photos/{path.name}" for path in sorted(arguments.photos.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
    Files.folders = folders
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        page = chromium.new_page()
        page.on("pageerror", lambda error: print("the page:", error))
        page.set_default_timeout(0)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.ready === true")
        call = {
            "names": names, "threads": arguments.threads, "rounds": arguments.rounds, "warm": 3, "files": FILES,
            "addresses": addresses, "examples": "/examples",
        }
        table = page.evaluate("(call) => window.compare(call)", call)
        version = chromium.version
        chromium.close()
    server.shutdown()
    return table, version


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", type=Path)
    parser.add_argument("examples", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="lineament,human,face-api")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    table, chromium = measured(arguments, names)
    versions = {name: json.loads((arguments.modules / name / "package.json").read_text())["version"] for name in PACKAGES}
    print(f"{processor()}, {os.cpu_count()} processors, {arguments.threads} threads, Chromium {chromium}")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"| photo | size | {' | '.join(f'{name}, ms (faces)' for name in names)} |")
    print("|---|---|" + "---:|" * len(names))
    totals = dict.fromkeys(names, 0.0)
    for row in table:
        medians = {name: statistics.median(row["times"][name]) for name in names}
        for name in names:
            totals[name] += medians[name]
        cells = [f"{medians[name]:.0f} ({row['faces'][name]})" for name in names]
        print(f"| {row['photo']} | {row['size'][0]} x {row['size'][1]} | {' | '.join(cells)} |")
    print(f"| all | | {' | '.join(f'{totals[name]:.0f}' for name in names)} |")
    own = names[0]
    for name in names[1:]:
        ratios = [statistics.median(b / a for a, b in zip(row["times"][own], row["times"][name])) for row in table]
        print(f"{name}'s time over {own}'s: {totals[name] / totals[own]:.2f} over all, {statistics.median(ratios):.2f} for the median photo")
    if arguments.json:
        machine = {"processor": processor(), "processors": os.cpu_count(), "threads": arguments.threads, "chromium": chromium}
        arguments.json.write_text(json.dumps({"machine": machine, "versions": versions, "photos": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
