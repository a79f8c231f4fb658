// Lineament in browsers.

import { decode } from "./tagger/decode.js";
import { Tagger as Model } from "./tagger/tagger.js";

export { ImageError } from "./tagger/errors.js";
export { Prediction } from "./tagger/prediction.js";

const GRAPH = new URL("./model/faces.onnx.gz", import.meta.url);
const MODEL = new URL("./model/model.json", import.meta.url);

/** A model, ready for photos: see index.d.ts. */
export class Tagger extends Model {
  static async load({ graph = GRAPH, model = MODEL, threads } = {}) {
    const [runtime, bytes, description] = await Promise.all([
      // Imported here, so that bundlers leave it in a file of its own: its threads load that file, and should run nothing else.
      import("onnxruntime-web/wasm"),
      fetched(graph).then((response) => response.arrayBuffer()),
      fetched(model).then((response) => response.json()),
    ]);
    const processors = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
    return Tagger.create({ runtime, decode, graph: new Uint8Array(bytes), model: description, threads, processors });
  }
}

async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} cannot be loaded: the server answered ${response.status}`);
  return response;
}
