// Lineament in Node.

import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import * as runtime from "onnxruntime-web";
import { decode } from "./decode.js";
import { Tagger as Model } from "./tagger/tagger.js";

export { ImageError } from "./tagger/errors.js";
export { Prediction } from "./tagger/prediction.js";

const GRAPH = new URL("./model/faces.onnx.gz", import.meta.url);
const MODEL = new URL("./model/model.json", import.meta.url);

/** A model, ready for photos: see index.d.ts. */
export class Tagger extends Model {
  static async load({ graph = GRAPH, model = MODEL, threads } = {}) {
    const [bytes, description] = await Promise.all([readFile(graph), readFile(model, "utf8")]);
    return Tagger.create({ runtime, decode, graph: bytes, model: JSON.parse(description), threads, processors: availableParallelism() });
  }
}
