//! `README.md` beside the graph that takes a photo and gives faces.

use std::fmt::Write as _;

use lineament::Bundle;
use lineament::locate::LnetMethod;
use lineament::onnx::{NAMES, WHOLE_OPSET};
use lineament_net::Arithmetic;

use crate::export_readme::plain;

/// The page in Markdown.
pub fn page(bundle: &Bundle, arithmetic: Arithmetic) -> String {
    let card = bundle.card();
    let threshold = match card.lnets().map(|lnets| &lnets.method) {
        Some(LnetMethod::Pyramid(parameters)) => parameters.threshold,
        // No other model has this graph.
        _ => 0.0,
    };
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "# {name} {version} as one ONNX graph\n\n\
         Written by lineament {program} from the model with SHA-256 `{hash}`. ONNX opset {WHOLE_OPSET}, {precision}. Terms of the \
         weights: {licence}.\n\n\
         `faces.onnx` takes a photo and gives its faces with their attributes.\n\n\
         | input | | |\n|---|---|---|\n\
         | `image` | uint8 [height, width, 3] | RGB, red first, turned the way up that its EXIF orientation says |\n\
         | `smallest_face` | float32 [1] | least height of a face in pixels, 8 at least; 0: 2.5 % of the longer side, 16 at least |\n\
         | `threshold` | float32 [1] | least score of a face; {threshold} is the model's own |\n\n\
         | output | | |\n|---|---|---|\n\
         | `boxes` | float32 [faces, 4] | x and y of the upper left corner, width, height, in pixels; the best face first |\n\
         | `scores` | float32 [faces] | how sure a face is, without a fixed scale |\n\
         | `roll` | float32 [faces] | how far the head is turned clockwise, in degrees |\n\
         | `embeddings` | float32 [faces, {features}] | what the attributes are read from |\n\
         | `attribute_scores` | float32 [faces, {attributes}] | compare them with the thresholds below |\n\
         | `probabilities` | float32 [faces, {attributes}] | calibrated |\n\n\
         Metadata hold the attributes' names under `{NAMES}`. `model.json` has the names, both thresholds of each and the threshold of \
         faces, for runtimes that read no metadata. A photo without a face gives outputs of 0 rows, and so does one of 0 x \
         0 pixels.\n\n",
        name = plain(&card.name),
        version = plain(&card.version),
        program = env!("CARGO_PKG_VERSION"),
        hash = bundle.hash(),
        precision = if arithmetic == Arithmetic::EightBit { BYTES } else { "single precision" },
        licence = plain(card.licence.trim_end_matches('.')),
        attributes = card.attributes.len(),
        features = bundle.parts().svms.features(),
    );
    page.push_str(
        "Faces are those of `lineament predict` to small differences: the graph draws windows with other filters. It looks for faces \
         that stand about upright (there is no `--any-orientation`), compares at most 16384 windows of LNet\\_o and keeps at most \
         1024 faces. Memory grows with the photo's pixels and with smaller faces: scale photos of more than 20 megapixels down \
         first.\n\n\
         Tried with ONNX Runtime 1.32, its wasm build (`onnxruntime-web` 1.30) and OpenVINO 2026.4. OpenVINO wants \
         `INFERENCE_PRECISION_HINT` f32: by itself it computes in bfloat16 where the processor can, coordinates as well, and boxes are off \
         by a tenth of their size. A runtime needs `Loop`, one inside of \
         another, `NonMaxSuppression`, `GridSample` and `Resize`. ONNX Runtime's `Sigmoid` gives 0 and 1 beyond 18, which moves \
         probabilities by 5e-8 at most.\n\n",
    );
    if arithmetic == Arithmetic::EightBit {
        page.push_str(
            "Scales of maps come from what the net's normalizations have learned, and filters have seven bits, so that processors \
             without VNNI instructions give the same answers. The first and the last convolution of each net stay in single \
             precision. What eight bits gain depends on the runtime. On one thread, ONNX Runtime takes 0.6 of the time that it takes in \
             single precision for a photo of 640 x 640 pixels with one face (with VNNI instructions), and its wasm build 0.7 for one \
             of 512 x 512. The default model (compact 0.1.0) answered for 500 test crops of CelebA as well as in single precision: mean accuracy \
             89.76 % in eight bits, 89.75 % in single precision and 89.76 % on the native engine.\n\n",
        );
    }
    for (language, needs, code) in [
        ("python", "`pip install numpy onnxruntime pillow`", PYTHON),
        (
            "javascript",
            "Node with `npm install onnxruntime-node sharp`; `onnxruntime-web` has the same interface",
            JAVASCRIPT,
        ),
        ("csharp", "NuGet packages `Microsoft.ML.OnnxRuntime` and `SixLabors.ImageSharp`", CSHARP),
        ("cpp", "ONNX Runtime's C++ interface; `pixels` are those of any decoder", CPP),
    ] {
        let code = code.trim_start().replace("THRESHOLD", &threshold.to_string());
        let _ = write!(page, "## {language}\n\n{needs}.\n\n```{language}\n{code}```\n\n");
    }
    page.push_str("## Attributes\n\n| | attribute | threshold, accuracy | threshold, balanced |\n|---:|---|---:|---:|\n");
    for (index, attribute) in card.attributes.iter().enumerate() {
        let (name, thresholds) = (plain(&attribute.name), attribute.thresholds);
        let _ = writeln!(page, "| {index} | {name} | {} | {} |", thresholds.accuracy, thresholds.balanced);
    }
    page
}

const BYTES: &str =
    "convolutions in eight-bit integers (`QuantizeLinear` and `DequantizeLinear` around them)";

const PYTHON: &str = r#"
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("faces.onnx", providers=["CPUExecutionProvider"])
names = session.get_modelmeta().custom_metadata_map["attributes"].split(",")


def faces_of(image, smallest_face=0, threshold=THRESHOLD):
    """The faces of an image, height x width x 3 of uint8, as dictionaries."""
    one = lambda number: np.full(1, number, dtype=np.float32)
    outputs = ["boxes", "scores", "roll", "probabilities"]
    inputs = {"image": image, "smallest_face": one(smallest_face), "threshold": one(threshold)}
    rows = zip(*session.run(outputs, inputs))
    return [{"box": box, "score": score, "roll": roll, "attributes": dict(zip(names, p))} for box, score, roll, p in rows]


for path in sys.argv[1:]:
    for face in faces_of(np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))):
        print(path, face["box"].round(), f"smiling: {face['attributes'].get('Smiling', 0):.2f}")
"#;

const JAVASCRIPT: &str = r#"
const ort = require("onnxruntime-node");
const sharp = require("sharp");

async function main(path) {
  const session = await ort.InferenceSession.create("faces.onnx");
  const { data, info } = await sharp(path).rotate().removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const found = await session.run({
    image: new ort.Tensor("uint8", new Uint8Array(data), [info.height, info.width, 3]),
    smallest_face: new ort.Tensor("float32", [0], [1]),
    threshold: new ort.Tensor("float32", [THRESHOLD], [1]),
  });
  const attributes = found.probabilities.dims[1];
  for (let face = 0; face < found.boxes.dims[0]; face++) {
    const box = found.boxes.data.slice(4 * face, 4 * face + 4);
    const probabilities = found.probabilities.data.slice(attributes * face, attributes * (face + 1));
    console.log(box, found.scores.data[face], found.roll.data[face], probabilities);
  }
}

main(process.argv[2]);
"#;

const CSHARP: &str = r#"
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

using var session = new InferenceSession("faces.onnx");
using var photo = Image.Load<Rgb24>(args[0]);
photo.Mutate(image => image.AutoOrient());
var pixels = new byte[photo.Width * photo.Height * 3];
photo.CopyPixelDataTo(pixels);
using var found = session.Run(new[] {
    NamedOnnxValue.CreateFromTensor("image", new DenseTensor<byte>(pixels, new[] { photo.Height, photo.Width, 3 })),
    NamedOnnxValue.CreateFromTensor("smallest_face", new DenseTensor<float>(new[] { 0f }, new[] { 1 })),
    NamedOnnxValue.CreateFromTensor("threshold", new DenseTensor<float>(new[] { THRESHOLDf }, new[] { 1 })),
});
Tensor<float> Output(string name) => found.First(value => value.Name == name).AsTensor<float>();
var (boxes, probabilities) = (Output("boxes"), Output("probabilities"));
for (var face = 0; face < boxes.Dimensions[0]; face++)
    Console.WriteLine($"{boxes[face, 0]}, {boxes[face, 1]}: {boxes[face, 2]} x {boxes[face, 3]}, first attribute {probabilities[face, 0]}");
"#;

const CPP: &str = r#"
#include <onnxruntime_cxx_api.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

void print_faces(std::vector<uint8_t>& pixels, int64_t height, int64_t width) {
  static Ort::Env env;
  static Ort::Session session(env, ORT_TSTR("faces.onnx"), Ort::SessionOptions());
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::array<int64_t, 3> shape{height, width, 3};
  std::array<int64_t, 1> one{1};
  float smallest_face = 0, threshold = THRESHOLDf;
  std::array<Ort::Value, 3> in{
      Ort::Value::CreateTensor<uint8_t>(memory, pixels.data(), pixels.size(), shape.data(), 3),
      Ort::Value::CreateTensor<float>(memory, &smallest_face, 1, one.data(), 1),
      Ort::Value::CreateTensor<float>(memory, &threshold, 1, one.data(), 1)};
  const char* inputs[] = {"image", "smallest_face", "threshold"};
  const char* outputs[] = {"boxes", "scores", "probabilities"};
  auto found = session.Run(Ort::RunOptions{}, inputs, in.data(), 3, outputs, 3);
  const float* box = found[0].GetTensorData<float>();
  for (int64_t face = 0; face < found[0].GetTensorTypeAndShapeInfo().GetShape()[0]; face++, box += 4)
    std::printf("%g, %g: %g x %g\n", box[0], box[1], box[2], box[3]);
}
"#;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::testing::tiny_bundle;

    #[test]
    fn the_page_states_inputs_outputs_and_thresholds() {
        let bundle = tiny_bundle(1).unwrap();
        let page = page(&bundle, Arithmetic::EightBit);
        for said in [
            "opset 18, convolutions in eight-bit integers",
            "`image` | uint8 [height, width, 3]",
            "`embeddings` | float32 [faces, 6]",
            "`probabilities` | float32 [faces, 40]",
            "| 31 | Smiling | 0.125 | -0.125 |",
            "```python\nimport sys",
        ] {
            assert!(page.contains(said), "{said} in\n{page}");
        }
        assert!(!page.contains("THRESHOLD"), "{page}");
    }
}
