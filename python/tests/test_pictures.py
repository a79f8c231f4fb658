"""What an image may be given as: it gives what its file gives, or is refused in words that are true."""

import array
import io
import mmap

import numpy as np
import PIL.Image
import pytest

from lineament import PictureError, Tagger

# How each mode of PIL is written, where a kind of file has it.
FILES = {
    "1": "png",
    "L": "png",
    "LA": "png",
    "P": "png",
    "RGB": "png",
    "RGBA": "png",
    "I": "pgm",
    "I;16": "png",
    "I;16B": "tiff",
    "F": "tiff",
    "CMYK": "tiff",
    "RGBX": "tiff",
    "YCbCr": "tiff",
    "La": None,
    "RGBa": None,
    "PA": None,
    "HSV": None,
    "LAB": None,
}


@pytest.fixture(scope="module")
def face(astronaut) -> PIL.Image.Image:
    """Some 200 pixels around the face: little, and the same for each test."""
    return PIL.Image.open(astronaut).convert("RGB").crop((120, 0, 360, 240))


@pytest.fixture(scope="module")
def one() -> Tagger:
    return Tagger(threads=1)


def clear(image: PIL.Image.Image) -> PIL.Image.Image:
    """Transparent towards the border."""
    image = image.convert("RGBA")
    image.putalpha(PIL.Image.linear_gradient("L").resize(image.size).point(lambda value: 255 - value // 3))
    return image


def in_mode(mode: str, image: PIL.Image.Image) -> PIL.Image.Image:
    if mode in ("I", "I;16", "I;16B"):
        wide = np.asarray(image.convert("L")).astype(np.uint32) * 257
        return PIL.Image.fromarray(wide.astype(np.int32)).convert(mode)
    if mode == "F":
        return PIL.Image.fromarray(np.asarray(image.convert("L")).astype(np.float32) / 255)
    if mode in ("LA", "La", "RGBA", "RGBa", "PA"):
        image = clear(image)
        return image.convert("LA").convert("La") if mode == "La" else image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    return image.convert(mode)


def assert_alike(one, other) -> None:
    """The same but for colours that were rounded otherwise, by one in 255."""
    assert (one.width, one.height) == (other.width, other.height)
    assert len(one.faces) == len(other.faces) == 1
    assert abs(one.faces[0].box.x - other.faces[0].box.x) < 2
    for name, attribute in one.faces[0].attributes.items():
        assert abs(attribute.probability - other.faces[0].attributes[name].probability) < 0.05, name


@pytest.mark.parametrize("mode", FILES)
def test_images_of_every_mode_give_what_their_files_give(one, face, tmp_path, mode):
    image = in_mode(mode, face)
    assert image.mode == mode
    told = one.predict(image)
    if FILES[mode] is None:
        assert len(told.faces) == 1
        return
    image.save(path := tmp_path / f"face.{FILES[mode]}")
    from_file = one.predict(path)
    if mode in ("CMYK", "YCbCr"):
        assert_alike(from_file, told)
    else:
        assert told.faces == from_file.faces and len(told.faces) == 1
    assert_alike(from_file, one.predict(PIL.Image.open(path)))


def test_transparent_images_are_over_white_as_their_files_are(one, face, tmp_path):
    plain = face.quantize(32)
    plain.info["transparency"] = 3
    for name, image in {"rgba": clear(face), "la": clear(face).convert("LA"), "palette": plain}.items():
        image.save(path := tmp_path / f"{name}.png", **({"transparency": 3} if name == "palette" else {}))
        assert one.predict(image).faces == one.predict(PIL.Image.open(path)).faces == one.predict(path).faces, name


def test_a_grey_image_of_sixteen_bits_is_no_white_one(one, face, tmp_path):
    in_mode("I;16", face).save(path := tmp_path / "grey.png")
    image = PIL.Image.open(path)
    assert one.predict(image).faces == one.predict(path).faces == one.predict(np.asarray(image).astype(np.uint16)).faces
    assert len(one.predict(path).faces) == 1


@pytest.mark.parametrize("kind", ["bool", "uint8", "uint16", ">u2", "float16", "float32", "float64", ">f4"])
@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_arrays_of_every_kind_give_what_their_files_give(one, face, tmp_path, kind, channels):
    image = {0: face.convert("L"), 1: face.convert("L"), 2: clear(face).convert("LA"), 3: face, 4: clear(face)}[channels]
    pixels = np.asarray(image)
    if kind == "bool":
        pixels = np.where(pixels > 110, 255, 0).astype(np.uint8)
        given = pixels > 0
    else:
        given = (pixels / 255).astype(kind) if "f" in kind else (pixels.astype(np.uint16) * (257 if "2" in kind or "16" in kind else 1)).astype(kind)
    PIL.Image.fromarray(pixels).save(path := tmp_path / "face.png")
    told = one.predict(given[:, :, None] if channels == 1 else given)
    assert told.faces == one.predict(path).faces and (told.width, told.height) == face.size
    if channels == 0:
        # As Ray stacks gray images with others.
        assert one.predict(given[None]).faces == told.faces
    if kind != "bool":
        assert len(told.faces) == 1
    # Neither strides nor the order of axes in memory matter.
    assert one.predict(np.asfortranarray(given)[::-1][::-1]).faces == told.faces


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((4, 4), np.int64), "do not say how bright"),
        (np.zeros((4, 4, 3), np.uint32), "do not say how bright"),
        (np.zeros((4, 4, 3), np.int8), "do not say how bright"),
        (np.zeros((4, 4), complex), "do not say how bright"),
        (np.full((4, 4, 3), None), "do not say how bright"),
        (np.full((4, 4, 3), 255.0), "floats from 255 to 255"),
        (np.full((4, 4, 3), -1, np.float32), "floats from -1 to -1"),
        (np.full((4, 4, 3), np.nan, np.float32), "NaN"),
        (np.zeros((3, 8, 8), np.uint8), "transpose"),
        (np.zeros((2, 4, 4, 3), np.uint8), "give a list"),
        (np.zeros((5, 4, 5), np.uint8), "no picture"),
        (np.zeros((), np.uint8), "this is ndarray"),
        (np.zeros(12, np.float32), "no picture"),
        (np.zeros((0, 4, 3), np.uint8), "4 x 0"),
        (PIL.Image.new("RGB", (0, 4)), "0 x 4"),
        (PIL.Image.new("I", (4, 4), -3), "from -3 to -3"),
        (PIL.Image.new("I", (4, 4), 70000), "from 70000 to 70000"),
        (PIL.Image.new("F", (4, 4), 128), "floats from 128 to 128"),
        (memoryview(bytes(32)).cast("i", (2, 4)), "do not say how bright"),
        (memoryview(b""), "empty"),
        (array.array("i", [1, 2]), "no picture"),
        (io.BytesIO(b"?"), "this is BytesIO"),
        (7, "this is int"),
        (None, "this is NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_in_words_and_by_itself(one, astronaut, given, words):
    with pytest.raises(PictureError, match=words):
        one.predict(given)
    told = one.predict([given, astronaut], errors="return")
    assert words in str(told[0]).replace("(", "") or words in str(told[0])
    assert told[0].index == 0 and len(told[1].faces) == 1


@pytest.mark.parametrize("kind", ["bmp", "tiff"])
def test_alpha_that_is_zero_throughout_hides_nothing_where_files_have_it(one, face, tmp_path, kind):
    image = face.convert("RGBA")
    image.putalpha(0)
    image.save(path := tmp_path / f"face.{kind}")
    assert one.predict(PIL.Image.open(path)).faces == one.predict(path).faces == one.predict(face).faces


def test_deep_images_are_refused_where_they_cannot_be_as_their_file(one, face, tmp_path):
    in_mode("I;16", face).save(path := tmp_path / "key.png", transparency=257)
    with pytest.raises(PictureError, match="transparent colour"):
        one.predict(PIL.Image.open(path))
    in_mode("I", face).save(path := tmp_path / "deep.tiff")
    with pytest.raises(PictureError, match="32 bits"):
        one.predict(PIL.Image.open(path))


def test_a_lazy_image_that_is_cut_is_refused_by_itself(one, astronaut):
    cut = PIL.Image.open(io.BytesIO(astronaut.read_bytes()[:50_000]))
    told = one.predict([astronaut, cut], errors="return")
    assert len(told[0].faces) == 1 and "truncated" in str(told[1]), told[1]


def test_files_in_any_buffer_are_read(one, astronaut):
    content = astronaut.read_bytes()
    whole = one.predict(content)
    with open(astronaut, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        others = [memoryview(content)[:], memoryview(content[::-1])[::-1], bytearray(content), array.array("B", content), np.frombuffer(content, np.uint8), mapped]
        for given in others:
            assert one.predict(given) == whole, type(given)
        assert list(one.predict(others)) == [whole] * len(others)
    pixels = np.asarray(PIL.Image.open(astronaut).convert("RGB"))
    assert one.predict(memoryview(pixels)).faces == whole.faces
