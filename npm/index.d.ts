/** A rectangle in pixels of the upright image. */
export interface BoundingBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Whether a face has an attribute, by the threshold that was asked for, and how likely it is, 0 to 1. */
export interface Attribute {
  value: boolean;
  probability: number;
}

export interface Face {
  box: BoundingBox;
  /** How sure the model is that there is a face; no fixed scale. */
  score: number;
  /** How far the head is turned clockwise, in degrees; 0 is upright. */
  roll: number;
  /** By name, in the order that was asked for; left out where none was asked for. */
  attributes?: Record<string, Attribute>;
}

/**
 * An image and its faces, best first: as JSON, what `lineament predict --format json` and the service write. To go through it is to go
 * through its faces.
 */
export class Prediction implements Iterable<Face> {
  /** Where the image was given by a path. */
  path?: string;
  /** In pixels of the upright image. */
  width: number;
  /** In pixels of the upright image. */
  height: number;
  faces: Face[];
  /** Faces that were found beyond `maxFaces`. */
  faces_left_out: number;
  [Symbol.iterator](): Iterator<Face>;
}

/** Which faces are looked for and what is said of each. */
export interface PredictOptions {
  /** Only these attributes, in this order. All by default. */
  attributes?: string[];
  /** What the model's own thresholds are chosen for: fewest errors (the default), or presence and absence alike. */
  operatingPoint?: "accuracy" | "balanced";
  /** The probability from which on an attribute is present, instead of the model's own thresholds. */
  threshold?: number;
  /** Least height of a face: pixels (`24`, `"24px"`) or a share of the longer side (`"2.5%"`). 2.5 % by default, 16 pixels at least. */
  smallestFace?: number | string;
  /** The best faces alone, at most so many. */
  maxFaces?: number;
}

export interface LoadOptions {
  /** Where `faces.onnx` is, plain or gzipped, of a model of your own (`lineament export --onnx DIR --whole`). */
  graph?: string | URL;
  /** Where the `model.json` beside it is. */
  model?: string | URL;
  /** Threads to compute with, in browsers where pages are cross-origin isolated. As many as there are processors by default, at most 4. */
  threads?: number;
}

/** Pixels row by row: `ImageData`, or bytes of one to four a pixel (gray or RGB, each with or without alpha). */
export interface Pixels {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/** What browsers can draw: images, videos, canvases, bitmaps. `never` where the types of browsers are not loaded. */
export type Drawable = typeof globalThis extends { createImageBitmap: (image: infer Source, ...rest: any[]) => any } ? Source : never;

/** The bytes of a file, or pixels; in browsers also what can be drawn, in Node also the path of a file, or its URL. */
export type Image = Uint8Array | ArrayBuffer | Blob | Pixels | Drawable | string | URL;

/** What `model.json` says of the model. */
export interface Model {
  name: string;
  version: string;
  sha256: string;
  licence: string;
  /** Least score of a face. */
  threshold: number;
  attributes: {
    name: string;
    /** The share of training photos that have it. */
    positives: number;
    /** From score to probability: `1 / (1 + exp(a * score + b))`. */
    platt: { a: number; b: number };
    /** Of scores. */
    thresholds: { accuracy: number; balanced: number };
  }[];
  /** What was measured of it, by name. */
  scores: Record<string, number>;
}

/** A model, ready for photos. */
export class Tagger {
  /** Loads the model that comes with this package, or another. */
  static load(options?: LoadOptions): Promise<Tagger>;
  readonly model: Model;
  /**
   * The faces of an image. Images are looked at one after another.
   *
   * @throws {ImageError} where the image cannot be read or is too large.
   * @throws {TypeError | RangeError} where an option is wrong.
   */
  predict(image: Image, options?: PredictOptions): Promise<Prediction>;
  /** Gives back the memory of the model, when all calls are answered. */
  release(): Promise<void>;
}

/** An image that cannot be read, has no pixels, or too many. */
export class ImageError extends Error {}
