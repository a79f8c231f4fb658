// The same where the types of browsers are loaded.

import { Tagger } from "lineament";

const tagger = await Tagger.load({ graph: new URL("faces.onnx", location.href), model: "model.json" });
const image: HTMLImageElement = document.createElement("img");
const canvas: HTMLCanvasElement = document.createElement("canvas");
await tagger.predict(image);
await tagger.predict(canvas);
await tagger.predict(new ImageData(1, 1));
await tagger.predict(await createImageBitmap(canvas));
await tagger.predict(new Blob());
await tagger.predict(document.createElement("video"), { threshold: 0.5 });
// @ts-expect-error A paragraph is no image.
await tagger.predict(document.createElement("p"));
