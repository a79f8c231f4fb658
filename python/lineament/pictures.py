"""The kinds of input, converted to those that the compiled half reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

Picture: TypeAlias = Union[str, "os.PathLike[str]", bytes, bytearray, "np.ndarray[Any, Any]", "PIL.Image.Image"]
"""A path, the bytes of a file, an array of height x width x 3 of uint8 (red, green, blue), or a PIL image."""

ENDINGS = frozenset(
    (
        ".jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .dib .tif .tiff .pnm .ppm .pgm .pbm .pam "
        ".heic .heif .hif .avif .jxl .jp2 .j2k .jpf .jpx "
        ".dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .srf .raf .orf .rw2 .pef .srw .x3f .3fr .mrw"
    ).split()
)


def native(picture: Any) -> Any:
    """The image as a path, bytes, a buffer of three dimensions, or width, height and pixels."""
    if isinstance(picture, bytearray):
        return bytes(picture)
    # A PIL image means that PIL is imported.
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(picture, pil.Image):
        upright = sys.modules.get("PIL.ImageOps") or __import__("PIL.ImageOps").ImageOps
        picture = upright.exif_transpose(picture)
        if picture.has_transparency_data:
            # Transparency goes over white, as when files are read.
            picture = picture.convert("RGBA")
            white = pil.new("RGBA", picture.size, "white")
            picture = pil.alpha_composite(white, picture)
        picture = picture.convert("RGB")
        return (*picture.size, picture.tobytes())
    return picture


def natives(pictures: Iterable[Any]) -> list[Any]:
    return [native(picture) for picture in pictures]


def several(given: Any) -> bool:
    """Whether it is a list of images rather than one image."""
    return isinstance(given, Sequence) and not isinstance(given, (str, bytes, bytearray))


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
