// Images of all kinds to pixels, in Node: files by sharp, where it is installed.

import { readFile } from "node:fs/promises";
import { ImageError } from "./tagger/errors.js";
import { sizeOf } from "./tagger/header.js";
import { checkSize, isPixels, MOST_PIXELS, shown, shownSize, toRgb } from "./tagger/pixels.js";

/** The same as `decode` of browsers. Takes a path, a URL of a file, the bytes of a file, a `Blob`, and pixels. */
export async function decode(image) {
  if (isPixels(image)) {
    const rgb = toRgb(image);
    return { ...shown(rgb), photo: { width: rgb.width, height: rgb.height } };
  }
  if (typeof image === "string" || image instanceof URL) {
    const decoded = await read(await readFile(image));
    return { ...decoded, photo: { path: String(image), ...decoded.photo } };
  }
  if (image instanceof Blob) return read(new Uint8Array(await image.arrayBuffer()));
  if (image instanceof ArrayBuffer) return read(new Uint8Array(image));
  if (ArrayBuffer.isView(image)) return read(new Uint8Array(image.buffer, image.byteOffset, image.byteLength));
  throw new TypeError("this is no image; give a path, the bytes of a file, a Blob, or pixels as { data, width, height }");
}

async function read(bytes) {
  const size = sizeOf(bytes);
  if (size) checkSize(size.width, size.height);
  const sharp = await decoder();
  try {
    // Colours as the file has them, like the program, which follows no profile; upright, as people see it.
    const file = sharp(bytes, { limitInputPixels: MOST_PIXELS, ignoreIcc: true });
    const { width, height, orientation } = await file.metadata();
    const photo = orientation >= 5 ? { width: height, height: width } : { width, height };
    const { width: columns, height: rows } = shownSize(photo.width, photo.height);
    let upright = file.rotate();
    if (columns < photo.width) upright = upright.resize(columns, rows, { fit: "fill" });
    const { data } = await upright.flatten({ background: "#fff" }).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    return { ...toRgb({ data, width: columns, height: rows }), scale: [photo.width / columns, photo.height / rows], photo };
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError(`the image cannot be read: ${error.message}`, { cause: error });
  }
}

async function decoder() {
  try {
    return (await import("sharp")).default;
  } catch (error) {
    throw new Error("files of images are read by sharp, which is not installed: npm install sharp, or give pixels as { data, width, height }", { cause: error });
  }
}
