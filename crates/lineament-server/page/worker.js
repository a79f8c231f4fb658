// The worker behind the page without a service: holds the model and looks at one photo after another.

import * as runtime from "../runtime/ort.js";
import { decode } from "./tagger/decode.js";
import { Tagger, unzipped } from "./tagger/tagger.js";

const ready = load();

async function load() {
  const [graph, wasm, model] = await Promise.all([
    bytes("../model/faces.onnx.gz"),
    bytes("../runtime/ort.wasm.gz"),
    fetched("../model/model.json").then((response) => response.json()),
  ]);
  Object.assign(runtime.env.wasm, { wasmBinary: await unzipped(wasm) });
  // Memory is shared with threads only where the page is isolated from others.
  const processors = crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  return Tagger.create({ runtime, decode, graph, model, processors });
}

async function fetched(address) {
  const { href } = new URL(address, import.meta.url);
  const response = await fetch(href).catch(() => null);
  if (!response?.ok) throw new Error(`The model cannot be loaded: ${href} ${response ? `answers ${response.status}` : "does not answer"}.`);
  return response;
}

async function bytes(address) {
  return new Uint8Array(await (await fetched(address)).arrayBuffer());
}

const calls = {
  model: (tagger) => tagger.model,
  predict: (tagger, image, options) => tagger.predict(image, options),
};

addEventListener("message", async ({ data: { number, call, values } }) => {
  try {
    postMessage({ number, answer: await calls[call](await ready, ...values) });
  } catch (error) {
    // What is wrong with an image or an option is said; anything else may have left the runtime in pieces.
    const lost = !["ImageError", "TypeError", "RangeError"].includes(error.name);
    postMessage({ number, problem: error.message, lost });
  }
});
