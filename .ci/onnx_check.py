"""Runs exported ONNX graphs in ONNX Runtime and compares them with what the native engine gave.

    onnx_check.py graphs GRAPHS CASES    every GRAPHS/*.onnx on its cases in CASES
    onnx_check.py page GRAPHS CASES      the examples of GRAPHS/README.md, on the drawn face region in CASES

A case is a row of files GRAPH.CASE.VALUE.SIZES.f32, an input or output each.
"""

import contextlib
import io
import os
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

MOST = 1e-4  # of the largest expected value


def cases(folder):
    """Values by graph and case."""
    found = defaultdict(dict)
    for path in sorted(folder.glob("*.f32")):
        graph, case, value, sizes, _ = path.name.split(".")
        shape = [int(size) for size in sizes.split("x")]
        found[graph, case][value] = np.fromfile(path, dtype="<f4").reshape(shape)
    return found


def difference(name, found, expected):
    if found.shape != expected.shape:
        sys.exit(f"{name}: shape {found.shape} where {expected.shape} was expected")
    if found.size == 0:
        return 0.0
    return float(np.abs(found - expected).max() / max(1e-6, np.abs(expected).max()))


def graphs(folder, cases_folder):
    all_cases, operators = cases(cases_folder), Counter()
    paths = sorted(folder.glob("*.onnx"))
    worst, runs = {}, 0
    for path in paths:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)], path
        assert model.ir_version == 8, path
        operators.update(node.op_type for node in model.graph.node)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        inputs = [value.name for value in session.get_inputs()]
        outputs = [value.name for value in session.get_outputs()]
        mine = {case: values for (graph, case), values in all_cases.items() if graph == path.stem}
        if not mine:
            sys.exit(f"{path}: there is no case for it in {cases_folder}")
        for case, values in mine.items():
            results = session.run(outputs, {name: values[name] for name in inputs})
            for output, result in zip(outputs, results):
                name = f"{path.stem}.{case} {output} {list(result.shape)}"
                worst[name] = difference(name, result, values[output])
            runs += 1
    if not paths:
        sys.exit(f"{folder} holds no graphs")
    shown = sorted(worst.items(), key=lambda item: -item[1])
    for name, error in shown[:8]:
        print(f"  {error:.1e}  {name}")
    print(f"{len(paths)} graphs, {runs} runs, largest difference {shown[0][1]:.1e}; {dict(sorted(operators.items()))}")
    if not shown[0][1] <= MOST:
        sys.exit(f"{shown[0][0]} differs by {shown[0][1]:.1e} of its largest value, {MOST:.0e} is allowed")


def page(folder, cases_folder):
    code = "".join(re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S))
    values = cases(cases_folder)
    os.chdir(folder)
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), names)
    lines = printed.getvalue().splitlines()
    if len(lines) != len(names["names"]) or not lines[0].startswith(names["names"][0]):
        sys.exit(f"the page's example printed {lines}")
    # What the page says of preprocessing and patches, against what the library made of the same region.
    region, expected = values["face", "0"]["region"], values["attributes", "0"]["patches"]
    patches = names["patches_of"](region.astype(np.uint8))
    error = difference("patches of the page's example", patches, expected)
    answers = names["session"].run(["scores"], {"patches": patches})[0]
    scores = difference("scores of the page's example", answers, values["attributes", "0"]["scores"])
    interweaved = 0.0
    # The page leaves this out for models whose mirrored patches a mirrored region does not have.
    if "vectors_of" in names:
        vectors = names["vectors_of"](region.astype(np.uint8))
        answers = names["heads"].run(["scores"], {"vectors": vectors})[0]
        interweaved = difference("interweaved scores of the page's example", answers, values["attributes", "0"]["scores"])
    print(f"README.md: patches differ by {error:.1e}, scores by {scores:.1e}, interweaved by {interweaved:.1e}")
    if not max(error, scores, interweaved) <= MOST:
        sys.exit("the page's example does not compute what the library does")


if __name__ == "__main__":
    commands = {"graphs": graphs, "page": page}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve())
