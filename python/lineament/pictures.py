"""The kinds of input, converted to those that the compiled half reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    import PIL.Image

Picture: TypeAlias = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, "np.ndarray[Any, Any]", "PIL.Image.Image"]
"""A path, the bytes of a file (or another object with the buffer protocol that holds them), an array, or a PIL image.

Arrays are height x width, or height x width x channels: gray or red, green and blue, each with or without alpha. Their values are
uint8, uint16, bool, or floats from 0 to 1. An array with other values, and a PIL image whose range is unknown, is refused.
"""

ENDINGS = frozenset(
    (
        ".jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .dib .tif .tiff .pnm .ppm .pgm .pbm .pam "
        ".heic .heif .hif .avif .jxl .jp2 .j2k .jpf .jpx "
        ".dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .srf .raf .orf .rw2 .pef .srw .x3f .3fr .mrw"
    ).split()
)


def native(picture: Any) -> Any:
    """The image as a path, bytes, or a buffer of two or three dimensions. Raises what its own library does, and ``ValueError``."""
    # An image of PIL, or an array of numpy, means that the library is imported.
    pil, numpy = sys.modules.get("PIL.Image"), sys.modules.get("numpy")
    if pil is not None and isinstance(picture, pil.Image):
        return _samples(picture)
    if isinstance(picture, (bytes, str, os.PathLike)):
        return picture
    if numpy is not None and hasattr(picture, "__array__"):
        picture = numpy.asarray(picture)
        kind = picture.dtype
        if kind == bool:
            picture = picture.view(numpy.uint8) * numpy.uint8(255)
        elif kind.kind == "f" and kind not in (numpy.float32, numpy.float64):
            picture = picture.astype(numpy.float64)
        elif not kind.isnative:
            picture = picture.astype(kind.newbyteorder("="))
    if (view := _view(picture)) is not None and view.ndim == 1 and view.itemsize == 1:
        return view.tobytes()
    return picture


def natives(pictures: Iterable[Any]) -> list[Any]:
    """Each image as :func:`native` gives it; in the place of one that is none stands the exception that says why."""

    def given(picture: Any) -> Any:
        try:
            return native(picture)
        except Exception as error:
            return error if str(error) else ValueError(repr(error))

    return [given(picture) for picture in pictures]


def several(given: Any) -> bool:
    """Whether it is a list of images rather than one image."""
    # Memoryviews and arrays of the standard library are sequences of numbers.
    return isinstance(given, Sequence) and not isinstance(given, str) and _view(given) is None


def _view(given: Any) -> memoryview[Any] | None:
    try:
        return memoryview(given)
    except (TypeError, ValueError, BufferError):
        return None


def _samples(image: PIL.Image.Image) -> memoryview[Any]:
    """The pixels of an image of PIL, upright, with the values that a file of it has."""
    import PIL.ImageOps

    if not image.width or not image.height:
        raise ValueError(f"a picture of {image.width} x {image.height} pixels")
    # Only the original knows.
    kind = image.format
    image = PIL.ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        deep = kind == "TIFF" and image.mode == "I"
        image = image.convert("I")
        least, most = image.getextrema()
        if deep or least < 0 or most > 65535:
            raise ValueError(
                f"a PIL image of 32 bits, from {least} to {most}, does not say how bright it is; give its path, or an array of uint8 or uint16"
            )
        if "transparency" in image.info:
            raise ValueError("a PIL image of 16 bits with a transparent colour is not read; give its path")
        return memoryview(image.convert("I;16").tobytes("raw", "I;16N")).cast("H", (image.height, image.width))
    if image.mode == "F":
        return memoryview(image.tobytes()).cast("f", (image.height, image.width))
    if kind in ("BMP", "DIB", "TIFF") and image.mode == "RGBA" and image.getextrema()[3] == (0, 0):
        # As in files: their writers left the fourth byte alone.
        image = image.convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA") or (image.mode in ("L", "RGB") and image.has_transparency_data):
        image = image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")
    return memoryview(image.tobytes()).cast("B", (image.height, image.width, len(image.getbands())))


def _made_here(path: Path) -> bool:
    """Whether an image is a result: an annotated copy or a map, which the program marks."""
    if path.suffix.lower() != ".png" or "." not in path.stem:
        return False
    with open(path, "rb") as file:
        return b"tEXtSoftware\0Lineament" in file.read(256)


def expand(given: Any) -> list[Any]:
    """The images of a folder (walked, in order), or the given list."""
    if several(given):
        return list(given)
    folder = Path(given)
    if not folder.is_dir():
        return [given]

    def hidden(path: Path) -> bool:
        return any(part.startswith(".") for part in path.relative_to(folder).parts)

    found = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and not hidden(path))
    # In the order of the program: entry by entry, by name.
    return sorted((path for path in found if path.is_file() and not _made_here(path)), key=lambda path: path.relative_to(folder).parts)
