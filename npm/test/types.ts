// Checked by tsc alone: what is declared fits what is called.

import { ImageError, Tagger, type Attribute, type Face, type Prediction } from "lineament";

const tagger: Tagger = await Tagger.load({ threads: 2 });
const faces: Prediction = await tagger.predict(new Uint8Array(3), { attributes: ["Smiling"], operatingPoint: "balanced", smallestFace: "2.5%", maxFaces: 3 });
for (const face of faces) {
  const { box, score, roll, attributes }: Face = face;
  const smiling: Attribute | undefined = attributes?.Smiling;
  const sum: number = box.x + box.y + box.width + box.height + score + roll + (smiling?.probability ?? 0) + faces.faces_left_out;
  console.log(sum, smiling?.value, faces.path?.length);
}
await tagger.predict({ data: new Uint8ClampedArray(4), width: 1, height: 1 });
await tagger.predict("photo.jpg").catch((error: unknown) => error instanceof ImageError);
const first: string | undefined = tagger.model.attributes[0]?.name;
console.log(first);
await tagger.release();
// @ts-expect-error There is no such point.
await tagger.predict("photo.jpg", { operatingPoint: "best" });
// @ts-expect-error A number is no image.
await tagger.predict(7);
