// Poses of faces by @vladmandic/human on WebAssembly: see ./human. Degrees, with the signs of Lineament's: yaw to the right in the image, pitch
// upwards, roll clockwise.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { createInterface } from "node:readline";

const modules = process.env.MODULES;
const require = createRequire(`${modules}/`);
const sharp = require("sharp");
// Node's fetch reads no files.
const fetched = globalThis.fetch;
globalThis.fetch = async (url, options) =>
  String(url).startsWith("file://") ? new Response(readFileSync(new URL(url))) : fetched(url, options);
const { default: Human } = require(`${modules}/@vladmandic/human/dist/human.node-wasm.js`);

const off = { enabled: false };
const human = new Human({
  backend: "wasm",
  wasmPath: `file://${modules}/@tensorflow/tfjs-backend-wasm/dist/`,
  modelBasePath: `file://${modules}/@vladmandic/human/models/`,
  cacheSensitivity: 0,
  filter: off,
  face: {
    enabled: true,
    detector: { rotation: true, maxDetected: 5, minConfidence: 0.1 },
    mesh: { enabled: true },
    iris: off,
    description: off,
    emotion: off,
  },
  body: off,
  hand: off,
  object: off,
  gesture: off,
  segmentation: off,
});
await human.load();
for await (const file of createInterface({ input: process.stdin })) {
  const { data, info } = await sharp(file).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const image = human.tf.tensor(Uint8Array.from(data), [1, info.height, info.width, 3], "float32");
  const result = await human.detect(image);
  human.tf.dispose(image);
  const degrees = (radians) => (radians * 180) / Math.PI;
  const faces = result.face
    .filter((face) => face.rotation)
    .map(({ box, rotation: { angle } }) => ({
      box,
      yaw: -degrees(angle.yaw),
      pitch: -degrees(angle.pitch),
      roll: degrees(angle.roll),
    }));
  console.log(JSON.stringify({ name: basename(file), faces }));
}
