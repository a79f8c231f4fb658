// Photos in, faces with attributes out: the whole model as one graph, run by ONNX Runtime.

import { predictionOf } from "./prediction.js";
import { select } from "./selection.js";

/** What is read of the graph's outputs. */
const OUTPUTS = ["boxes", "scores", "roll", "attribute_scores", "probabilities"];

/** More threads share memory and wait for each other: past this many, photos take no less time. */
const MOST_THREADS = 4;

/**
 * A model, ready for photos. What it runs on comes from outside, so that this module is the same in pages, workers and Node:
 * `runtime` (onnxruntime-web or its like), `decode(image)` (see decode.js), and the contents of `faces.onnx` and `model.json`.
 */
export class Tagger {
  #runtime;
  #session;
  #decode;
  #model;
  #last = Promise.resolve();

  constructor({ runtime, session, decode, model }) {
    this.#runtime = runtime;
    this.#session = session;
    this.#decode = decode;
    this.#model = model;
  }

  /** Makes the nets ready. `graph` is the bytes of `faces.onnx`, as they are or gzipped; `processors` is how many there are. */
  static async create({ runtime, decode, graph, model, threads, processors = 1 }) {
    if (runtime.env?.wasm) runtime.env.wasm.numThreads = threads ?? Math.min(MOST_THREADS, processors);
    const session = await runtime.InferenceSession.create(await unzipped(graph), { graphOptimizationLevel: "all" });
    return new this({ runtime, session, decode, model });
  }

  /** The model's name, version and SHA-256, its licence, its attributes with their thresholds: `model.json`. */
  get model() {
    return this.#model;
  }

  /** The faces of an image and their attributes. Images are looked at one after another, in the order of the calls. */
  async predict(image, options) {
    const selection = select(this.#model, options);
    const turn = this.#last.then(() => this.#look(image, selection));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Gives back the memory of the nets, when all calls are answered. */
  async release() {
    await this.#last;
    await this.#session.release();
  }

  async #look(image, selection) {
    const { data, width, height, scale, photo } = await this.#decode(image);
    // The smallest face is that of the photo, and the graph sees a smaller one.
    const smallest = selection.smallestFace(photo.width, photo.height) / Math.max(...scale);
    const { Tensor } = this.#runtime;
    const outputs = await this.#session.run({
      image: new Tensor("uint8", data, [height, width, 3]),
      smallest_face: new Tensor("float32", Float32Array.of(smallest), [1]),
      threshold: new Tensor("float32", Float32Array.of(this.#model.threshold), [1]),
    }, OUTPUTS);
    return predictionOf(outputs, { ...photo, scale }, selection);
  }
}

/** What gzip has packed, or the bytes themselves where it has not: servers may unpack on the way. */
export async function unzipped(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
