// The whole graph in onnxruntime-web's wasm build, on one thread: its outputs as JSON.
//
//     node onnx_web.js GRAPH PIXELS HEIGHT WIDTH THRESHOLD
//
// PIXELS is a file of RGB bytes, row by row. NODE_PATH leads to onnxruntime-web.
const fs = require("node:fs");
const ort = require("onnxruntime-web");

async function main([graph, pixels, height, width, threshold]) {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(fs.readFileSync(graph), { executionProviders: ["wasm"] });
  const found = await session.run({
    image: new ort.Tensor("uint8", new Uint8Array(fs.readFileSync(pixels)), [Number(height), Number(width), 3]),
    smallest_face: new ort.Tensor("float32", [0], [1]),
    threshold: new ort.Tensor("float32", [Number(threshold)], [1]),
  });
  const outputs = Object.entries(found).map(([name, value]) => [name, { dims: value.dims, data: [...value.data] }]);
  console.log(JSON.stringify(Object.fromEntries(outputs)));
}

main(process.argv.slice(2));
