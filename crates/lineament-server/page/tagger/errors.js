// What can be wrong with an image. Wrong options are TypeErrors and RangeErrors.

/** An image that cannot be read, or is none. */
export class ImageError extends Error {
  name = "ImageError";
}
