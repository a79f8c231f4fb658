// Images of all kinds to pixels, by the browser. Works in pages and workers.

import { ImageError } from "./errors.js";
import { sizeOf } from "./header.js";
import { checkSize, isPixels, shown, shownSize, toRgb } from "./pixels.js";

/** How much of a file is looked at for its size: cameras put previews and profiles first. */
const HEADER = 1 << 20;

/** Colours as the file has them, like the program, which follows no profile; upright, as people see it. */
const AS_IT_IS = { colorSpaceConversion: "none", imageOrientation: "from-image" };

/**
 * What the graph is shown of an image: `data` of three bytes a pixel, its `width` and `height`, `scale` as `shown` says, and
 * `photo`, the size of the image itself. Takes the bytes of a file, a `Blob`, `ImageData`, and all that a canvas can draw.
 */
export async function decode(image) {
  if (isPixels(image)) return whole(image);
  if (image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return decode(new Blob([image]));
  if (!(image instanceof Blob)) return drawn(await bitmap(image));
  const size = sizeOf(new Uint8Array(await image.slice(0, HEADER).arrayBuffer()));
  if (size) checkSize(size.width, size.height);
  return drawn(await bitmap(image));
}

function whole(image) {
  const rgb = toRgb(image);
  return { ...shown(rgb), photo: { width: rgb.width, height: rgb.height } };
}

async function bitmap(image) {
  try {
    return await createImageBitmap(image, AS_IT_IS);
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError("this is no image; give the bytes of a file, a Blob, ImageData, or what a canvas can draw", { cause: error });
    throw new ImageError("the image cannot be read: it is damaged, or of a kind that this browser does not know; try JPEG, PNG or WebP", { cause: error });
  }
}

/** Draws it on white, no larger than it is shown. */
function drawn(bitmap) {
  try {
    const photo = { width: bitmap.width, height: bitmap.height };
    checkSize(photo.width, photo.height);
    const { width, height } = shownSize(photo.width, photo.height);
    const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
    Object.assign(context, { fillStyle: "#fff", imageSmoothingQuality: "high" });
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0, width, height);
    const { data } = toRgb(context.getImageData(0, 0, width, height));
    return { data, width, height, scale: [photo.width / width, photo.height / height], photo };
  } finally {
    bitmap.close();
  }
}
