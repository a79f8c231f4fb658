// Pixels as the graph sees them: red, green and blue in bytes, row by row.

import { ImageError } from "./errors.js";

/** The most pixels that the graph is shown at once: larger photos are scaled down to it, so that its memory stays bounded. */
export const MOST_SHOWN = 4e6;

/** The most pixels of a photo: more are refused before they are decoded. */
export const MOST_PIXELS = 100e6;

/** Whether something has pixels: `ImageData`, or an object like it. */
export const isPixels = (image) => image !== null && typeof image === "object" && "data" in image && "width" in image && "height" in image;

/** Refuses a photo of too many pixels. */
export function checkSize(width, height) {
  if (width * height > MOST_PIXELS) {
    throw new ImageError(`the image has ${width} x ${height} pixels, and ${MOST_PIXELS / 1e6} million are the most; scale it down`);
  }
}

/** How large a photo is shown to the graph, as `{ width, height }`: as it is, or of `MOST_SHOWN` pixels. */
export function shownSize(width, height) {
  const share = Math.min(1, Math.sqrt(MOST_SHOWN / (width * height)));
  const side = (length) => Math.max(1, Math.floor(length * share));
  return share < 1 ? { width: side(width), height: side(height) } : { width, height };
}

/** One to four bytes a pixel (grey or colours, each with or without alpha) as `{ data, width, height }` of three; transparency lies over white. */
export function toRgb({ data, width, height }) {
  if (![width, height].every((side) => Number.isInteger(side) && side >= 0)) throw new ImageError(`an image of ${width} x ${height} pixels cannot be`);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new ImageError("pixels are bytes; give a Uint8Array, a Uint8ClampedArray or a Buffer as data");
  }
  if (width === 0 || height === 0) throw new ImageError(`the image has ${width} x ${height} pixels: there is nothing to see`);
  checkSize(width, height);
  const count = width * height;
  const channels = data.length / count;
  if (![1, 2, 3, 4].includes(channels)) {
    throw new ImageError(`${data.length} bytes are not those of ${width} x ${height} pixels; give one to four a pixel: grey or RGB, each with or without alpha`);
  }
  if (channels === 3) return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height };
  const rgb = new Uint8Array(3 * count);
  const [green, blue] = channels === 4 ? [1, 2] : [0, 0];
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + green];
    rgb[to + 2] = data[from + blue];
  }
  if (channels % 2 === 0) overWhite(rgb, data, channels);
  return { data: rgb, width, height };
}

/** Lays pixels over white by the alpha that comes last in each. */
function overWhite(rgb, data, channels) {
  for (let from = channels - 1, to = 0; to < rgb.length; from += channels, to += 3) {
    const alpha = data[from];
    if (alpha === 255) continue;
    for (let at = to; at < to + 3; at += 1) rgb[at] = Math.floor((rgb[at] * alpha + 255 * (255 - alpha) + 127) / 255);
  }
}

/**
 * What the graph is shown of pixels of three bytes: themselves, or means of squares where they are too many. `scale` tells how many
 * pixels of the photo lie behind one, across and down.
 */
export function shown({ data, width, height }) {
  const step = Math.ceil(Math.sqrt((width * height) / MOST_SHOWN));
  if (step <= 1) return { data, width, height, scale: [1, 1] };
  const [across, down] = [Math.min(step, width), Math.min(step, height)];
  const [columns, rows] = [Math.floor(width / across), Math.floor(height / down)];
  const small = new Uint8Array(3 * columns * rows);
  for (let y = 0, to = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1, to += 3) {
      const sums = [0, 0, 0];
      for (let row = y * down; row < (y + 1) * down; row += 1) {
        for (let from = 3 * (row * width + x * across), end = from + 3 * across; from < end; from += 3) {
          sums[0] += data[from];
          sums[1] += data[from + 1];
          sums[2] += data[from + 2];
        }
      }
      for (let channel = 0; channel < 3; channel += 1) small[to + channel] = Math.round(sums[channel] / (across * down));
    }
  }
  return { data: small, width: columns, height: rows, scale: [across, down] };
}
