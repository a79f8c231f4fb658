"""Pictures in, faces out."""

import io
import json
import os
import pickle
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import lineament
from lineament import PictureError, Prediction, Tagger

PROGRAM = os.environ.get("LINEAMENT_PROGRAM")


def test_a_picture_is_told_the_same_however_it_is_given(tagger, astronaut):
    whole = tagger.predict(astronaut)
    assert isinstance(whole, Prediction) and len(whole.faces) == 1
    image = PIL.Image.open(astronaut)
    pixels = np.asarray(image.convert("RGB"))
    upside = np.ascontiguousarray(pixels[::-1])[::-1]
    assert upside.strides[0] < 0
    for given in (str(astronaut), astronaut.read_bytes(), bytearray(astronaut.read_bytes()), image, pixels, upside):
        told = tagger.predict(given)
        assert told.faces == whole.faces and (told.width, told.height) == (512, 512)
    assert whole.path == str(astronaut) and tagger.predict(pixels).path is None


def test_pil_images_are_turned_and_blended_as_files_are(tagger, astronaut, tmp_path):
    image = PIL.Image.open(astronaut).convert("RGB")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    image.transpose(PIL.Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    clear = image.convert("RGBA")
    clear.putalpha(PIL.Image.linear_gradient("L").resize(clear.size).point(lambda value: 200 + value * 55 // 255))
    clear.save(tmp_path / "clear.png")
    for name in ("turned.png", "clear.png"):
        from_file = tagger.predict(tmp_path / name)
        from_image = tagger.predict(PIL.Image.open(tmp_path / name))
        assert (from_file.width, from_file.height) == (from_image.width, from_image.height)
        assert len(from_file.faces) == len(from_image.faces) == 1
        one, other = from_file.faces[0], from_image.faces[0]
        # Blending rounds differently by one in 255.
        assert abs(one.box.x - other.box.x) < 2
        for key, attribute in one.attributes.items():
            assert abs(attribute.probability - other.attributes[key].probability) < 0.02, key


def test_faces_have_boxes_and_attributes_by_name(tagger, astronaut):
    face = tagger.predict(astronaut).faces[0]
    assert 0 < face.box.x < 512 and face.box.width > 50
    assert list(face.attributes) == tagger.attributes and len(face.attributes) == 40
    assert all(0 <= attribute.probability <= 1 for attribute in face.attributes.values())
    assert face.attributes["Smiling"].value is True and face.attributes["Smiling"].probability > 0.5
    two = Tagger(threads=1, attributes=["Smiling", "Bald"]).predict(astronaut).faces[0]
    assert list(two.attributes) == ["Smiling", "Bald"]
    assert two["Smiling"] is two.attributes["Smiling"] and two["Smiling"].present is two["Smiling"].value
    assert two.attributes["Smiling"] == face.attributes["Smiling"]


def test_lists_keep_their_order_on_any_number_of_threads(tagger, examples):
    pictures = examples * 3
    told = tagger.predict(pictures)
    assert [answer.path for answer in told] == [str(path) for path in pictures]
    assert told == Tagger(threads=1).predict(pictures)
    assert told[0] == tagger.predict(pictures[0])
    assert tagger.predict([]) == []


def test_broken_pictures_raise_or_stand_in_their_place(tagger, astronaut, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(PictureError, match="broken.jpg: not a picture format Lineament reads") as caught:
        tagger.predict([astronaut, broken])
    assert caught.value.index == 1
    told = tagger.predict([b"", astronaut, tmp_path / "gone.png", broken], errors="return")
    assert [isinstance(answer, PictureError) for answer in told] == [True, False, True, True]
    assert str(told[0]).startswith("picture 0: ") and "gone.png" in str(told[2])
    assert told.to_dicts()[3] == {"error": str(told[3])}
    assert isinstance(told[0], lineament.LineamentError) and isinstance(told[0], ValueError)
    again = pickle.loads(pickle.dumps(told[3]))
    assert (str(again), again.index, again.path) == (str(told[3]), 3, str(broken))
    table = told.to_arrow(every_picture=True)
    assert table["path"].to_pylist() == ["0", str(astronaut), str(tmp_path / "gone.png"), str(broken)]
    with pytest.raises(ValueError, match="errors"):
        tagger.predict([astronaut], errors="ignore")


def test_tables_have_a_row_a_face(tagger, examples):
    told = tagger.predict([*examples, b"?"], errors="return")
    table = told.to_arrow()
    assert table.num_rows == sum(len(answer.faces) for answer in told[:3]) > 0
    columns = ["path", "width", "height", "face", "x", "y", "box_width", "box_height", "score", "roll", "faces_left_out"]
    assert table.column_names[:11] == columns
    assert table["faces_left_out"].to_pylist() == [0] * table.num_rows
    every = told.to_pandas(every_picture=True)
    assert list(every["path"].unique()) == [*map(str, examples), "3"]
    assert every.loc[every["path"] == "3", "error"].item() == str(told[3])
    smiling = told.to_pandas()
    assert smiling["Smiling_probability"].iloc[0] == pytest.approx(told[0].faces[0].attributes["Smiling"].probability)


def test_quality_and_doubt_are_told_where_they_are_asked_for(tagger, astronaut):
    plain = tagger.predict(astronaut)
    assert plain.faces[0].quality is None and plain.faces_of_low_quality is None
    asked = {"quality": True, "landmarks": True, "abstain": 0.9}
    own = Tagger(threads=1, **asked)
    told = own.predict(astronaut)
    assert told == tagger.predict(astronaut, **asked) == pickle.loads(pickle.dumps(own)).predict(astronaut)
    face = told.faces[0]
    assert 0.5 < face.quality <= 1 and face.landmarks is not None
    values = [attribute.value for attribute in face.attributes.values()]
    assert None in values and True in values and False in values
    for name, attribute in face.attributes.items():
        usual = plain.faces[0].attributes[name]
        certainty = usual.probability if usual.value else 1 - usual.probability
        assert attribute.value == (usual.value if certainty >= 0.9 else None)
        assert attribute.present == bool(attribute.value)
    table = own.predict([astronaut]).to_arrow()
    assert table.column_names[-13:][0] == "quality" and table["quality"].to_pylist()[0] == pytest.approx(face.quality)
    for name, attribute in face.attributes.items():
        assert table[name].to_pylist()[0] == attribute.value
    table = tagger.predict([astronaut], least_quality=0.5).to_arrow()
    assert table.column_names[-2:] == ["quality", "faces_of_low_quality"] and table["faces_of_low_quality"].to_pylist() == [0]
    strict = tagger.predict(astronaut, least_quality=1)
    assert strict.faces == [] and strict.faces_of_low_quality == len(plain.faces)
    assert strict.to_dict()["faces_of_low_quality"] == len(plain.faces)
    for wrong in ({"least_quality": 2}, {"abstain": -0.5}):
        with pytest.raises(ValueError, match="between 0 and 1"):
            tagger.predict(astronaut, **wrong)


def test_the_faces_that_are_looked_for_are_chosen_for_a_tagger_or_a_call(tagger, astronaut):
    image = PIL.Image.open(astronaut).convert("RGB")
    two = PIL.Image.new("RGB", (1024, 512))
    two.paste(image, (0, 0))
    two.paste(image, (512, 0))
    whole = tagger.predict(two)
    assert len(whole.faces) > 1 and whole.faces_left_out == 0
    one = tagger.predict(two, max_faces=1)
    assert (one.faces, one.faces_left_out) == (whole.faces[:1], len(whole.faces) - 1)
    assert one.to_dict()["faces_left_out"] == one.faces_left_out
    for few in (Tagger(threads=1, max_faces=1), pickle.loads(pickle.dumps(Tagger(threads=1, max_faces=1)))):
        assert few.predict(two) == one
        assert few.predict(two, max_faces=99) == whole
        assert few.predict([two], errors="return").to_arrow()["faces_left_out"].to_pylist() == [one.faces_left_out]
    for large in ("300px", 300, "50%"):
        assert Tagger(threads=1, smallest_face=large).predict(two).faces == tagger.predict(two, smallest_face=large).faces == []
    assert tagger.predict(two, smallest_face="5%", any_orientation=False).faces == whole.faces
    assert len(tagger.predict(two, any_orientation=True).faces) >= 1
    assert all(face.roll is None or -180 <= face.roll <= 180 for face in whole.faces)


@pytest.mark.parametrize("wrong", [0, -3, "200%", "abc", float("nan")])
def test_sizes_that_are_none_are_refused_in_words(tagger, astronaut, wrong):
    for call in (lambda: Tagger(smallest_face=wrong), lambda: tagger.predict(astronaut, smallest_face=wrong)):
        with pytest.raises(ValueError, match="give "):
            call()
    with pytest.raises(ValueError, match="give 1 or more"):
        tagger.predict(astronaut, max_faces=0)
    with pytest.raises(ValueError, match="give 1 or more"):
        Tagger(max_faces=-3)


@pytest.mark.skipif(PROGRAM is None, reason="LINEAMENT_PROGRAM names no program")
def test_the_program_says_the_same(tagger, examples, tmp_path):
    import pyarrow.parquet as pq

    out = tmp_path / "out.parquet"
    subprocess.run([PROGRAM, "predict", *examples, "--output", out], check=True, timeout=120)
    assert pq.read_table(out).equals(tagger.predict(examples).to_arrow())
    text = subprocess.run([PROGRAM, "predict", examples[0], "--format", "json"], check=True, capture_output=True, timeout=120).stdout
    theirs, ours = json.loads(text)[0], tagger.predict(examples[0]).to_dict()
    assert theirs.keys() == ours.keys() and theirs["faces"][0].keys() == ours["faces"][0].keys()


def test_one_photo_has_one_vector(tagger, astronaut):
    one = tagger.vectors(astronaut)
    assert one == tagger.embed([astronaut])[0] and len(one) == 4 * tagger.embedding_length


def test_other_threads_go_on_meanwhile(tagger, astronaut):
    ticks, going = [], threading.Event()

    def tick():
        while not going.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.002)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.monotonic()
    tagger.predict([astronaut] * 8)
    end = time.monotonic()
    going.set()
    thread.join()
    inside = [time for time in ticks if begin < time < end]
    # With the lock held there would be one tick at either end.
    assert len(inside) > 5


def test_ctrl_c_ends_a_long_call(tagger, astronaut):
    # Whoever is started in the background may be told to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        tagger.predict([astronaut] * 5000)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begin < 20
    assert len(tagger.predict(astronaut).faces) == 1


def test_taggers_travel_and_models_are_refused_in_words(tagger, astronaut, tmp_path):
    copy = pickle.loads(pickle.dumps(tagger))
    assert copy.threads == 2 and copy.hash == tagger.hash
    tagger.save(tmp_path / "model.lineament")
    assert [path.name for path in tmp_path.iterdir()] == ["model.lineament"]
    assert Tagger(tmp_path / "model.lineament", 1).predict(astronaut) == tagger.predict(astronaut)
    (tmp_path / "wrong.lineament").write_bytes(b"\x00" * 100)
    for wrong in (tmp_path / "gone.lineament", tmp_path / "wrong.lineament"):
        with pytest.raises(lineament.ModelError, match=wrong.name):
            Tagger(wrong)
    with pytest.raises(ValueError, match="Smilng"):
        Tagger(attributes=["Smilng"])
    with pytest.raises(ValueError, match="accuracy or balanced"):
        Tagger(operating_point="best")
    with pytest.raises(ValueError, match="threads"):
        Tagger(threads=0)
    with pytest.raises(ValueError, match="native or int8"):
        Tagger(engine="fp4")


def test_a_detector_finds_the_faces_where_it_is_asked_for(tagger, astronaut, tmp_path):
    finder = Tagger(threads=1, detector="yunet")
    assert finder.card["locator"]["family"] == "yunet"
    assert any("trained on boxes" in said for said in finder.card["trained_on"])
    assert finder.hash == tagger.hash
    (face,) = finder.predict(astronaut).faces
    own = tagger.predict(astronaut).faces[0]
    assert abs(face.box.x - own.box.x) < 30 and abs(face.box.height - own.box.height) < 50
    assert face["Smiling"].present is own["Smiling"].present
    assert pickle.loads(pickle.dumps(finder)).predict(astronaut) == finder.predict(astronaut)
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"no detector")
    with pytest.raises(lineament.ModelError, match="wrong.onnx"):
        Tagger(detector=wrong)


def test_eight_bits_tell_nearly_the_same(tagger, astronaut):
    eight = Tagger(threads=1, engine="int8")
    told = pickle.loads(pickle.dumps(eight)).predict(astronaut)
    assert told == eight.predict(astronaut) != tagger.predict(astronaut)
    [face], [single] = told.faces, tagger.predict(astronaut).faces
    apart = [abs(face.attributes[name].probability - single.attributes[name].probability) for name in tagger.attributes]
    assert sum(apart) / len(apart) < 0.02


def test_faces_come_with_embeddings_and_crops(tagger, astronaut):
    plain = tagger.predict(astronaut).faces[0]
    assert plain.embedding is None and plain.crop is None
    face = tagger.predict(astronaut, embeddings=True, crops=lineament.Crops(side=64)).faces[0]
    assert (face.box, face.attributes) == (plain.box, plain.attributes)
    vector = np.frombuffer(face.embedding, np.float32)
    assert vector.shape == (tagger.embedding_length,) and np.isfinite(vector).all()
    assert face.embedding == tagger.embed(astronaut)
    crop = PIL.Image.open(io.BytesIO(face.crop))
    assert crop.size == (64, 64) and crop.format == "JPEG"
    region = tagger.predict(astronaut, crops=lineament.Crops("region", 32, format="png")).faces[0].crop
    assert PIL.Image.open(io.BytesIO(region)).size == (32, 32)
    with pytest.raises(ValueError, match="side is 0"):
        lineament.Crops(side=0)
    with pytest.raises(ValueError, match="framing"):
        tagger.predict(astronaut, crops=lineament.Crops("square"))
    table = tagger.predict([astronaut], embeddings=True).to_arrow(crops=[["a.face-1.jpg"]])
    assert table["crop"].to_pylist() == ["a.face-1.jpg"]
    assert np.array_equal(np.asarray(table["embedding"][0].as_py(), np.float32), vector)
    assert table.schema.metadata[b"lineament.model.sha256"].decode() == tagger.hash


@pytest.mark.skipif(PROGRAM is None, reason="there is no program to compare with")
def test_tables_with_embeddings_have_the_programs_columns(tagger, astronaut, tmp_path):
    import pyarrow.parquet as pq

    call = [PROGRAM, "predict", str(astronaut), "--embeddings", "--output", str(tmp_path / "faces.parquet")]
    subprocess.run(call, check=True, capture_output=True)
    own, theirs = tagger.predict([astronaut], embeddings=True).to_arrow(), pq.read_table(tmp_path / "faces.parquet")
    assert own.schema.remove_metadata() == theirs.schema.remove_metadata()
    assert own["embedding"].to_pylist() == theirs["embedding"].to_pylist()
