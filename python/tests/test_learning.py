"""Features, teaching and measuring."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

import lineament
from lineament import FeatureExtractor


def variations(path: Path, count: int, dark: bool) -> list[np.ndarray]:
    """Crops and tints of one face: enough to tell dark from light."""
    image = PIL.Image.open(path).convert("RGB").crop((60, 0, 400, 340))
    random = np.random.default_rng(1 + dark)
    made = []
    for _ in range(count):
        left, top = random.integers(0, 20, 2)
        pixels = np.asarray(image.crop((left, top, left + 320, top + 320))).astype(np.float32)
        factor = random.uniform(0.6, 0.75) if dark else random.uniform(0.85, 1.1)
        made.append(np.clip(pixels * factor, 0, 255).astype(np.uint8))
    return made


def test_scikit_learns_checks_pass_where_pictures_may_be_left_out():
    with warnings.catch_warnings():
        # It says that input of other kinds than matrices is not tried.
        warnings.simplefilter("ignore")
        results = check_estimator(FeatureExtractor(threads=1))
    assert results
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_estimator_repr",
        "check_mixin_order",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
    ],
)
def test_checks_that_need_no_matrix_pass(check):
    getattr(estimator_checks, check)("FeatureExtractor", FeatureExtractor(threads=1))


def test_features_are_the_vectors_of_the_faces(examples, astronaut):
    extractor = FeatureExtractor(threads=2)
    features = extractor.fit_transform([astronaut, astronaut])
    assert features.dtype == np.float32 and features.shape == (2, len(extractor.get_feature_names_out()))
    assert np.array_equal(features[0], features[1]) and np.ptp(features[0]) > 0
    with pytest.raises(ValueError, match="no face was found in 1 of 1"):
        extractor.transform([np.zeros((64, 64, 3), np.uint8)])
    nan = clone(extractor).set_params(missing="nan").transform([astronaut, np.zeros((64, 64, 3), np.uint8)])
    assert np.array_equal(nan[0], features[0]) and np.isnan(nan[1]).all()
    framed = clone(extractor).set_output(transform="pandas").fit_transform([astronaut])
    assert list(framed.columns) == list(extractor.get_feature_names_out())
    with pytest.raises(lineament.PictureError):
        extractor.transform([b"?"])


def test_flattened_pictures_go_through_a_pipeline(astronaut):
    pictures = np.stack(variations(astronaut, 8, True) + variations(astronaut, 8, False))
    flat, answers = pictures.reshape(16, -1), [1] * 8 + [0] * 8
    extractor = FeatureExtractor(threads=2, image_shape=(320, 320, 3), missing="zero")
    model = make_pipeline(extractor, LogisticRegression(max_iter=1000)).fit(flat[::2], answers[::2])
    assert model.score(flat[1::2], answers[1::2]) >= 0.75
    whole = FeatureExtractor(threads=2, missing="zero").fit_transform(pictures[:2])
    assert np.array_equal(extractor.transform(flat[:2].astype(float)), whole)
    for wrong in (flat[:, 1:], flat + 0.5):
        with pytest.raises(ValueError, match="X has"):
            extractor.transform(wrong)


def test_an_attribute_is_taught_and_told(tagger, astronaut):
    dark, light = variations(astronaut, 24, True), variations(astronaut, 24, False)
    lesson = tagger.teach("Dark", dark, light)
    assert lesson.figures["balanced_accuracy"] > 0.8 and lesson.unread == []
    assert lesson.tagger.attributes == [*tagger.attributes, "Dark"]
    told = lesson.tagger.predict([dark[0], light[0]])
    values = [answer.faces[0].attributes["Dark"].value for answer in told if answer.faces]
    assert values in ([True, False], [True], [False])
    with pytest.raises(lineament.TeachError, match="too few"):
        tagger.teach("Dark", dark[:3], light[:3])
    with pytest.raises(lineament.TeachError, match="knows Smiling already"):
        tagger.teach("Smiling", dark, light)
    mixed = dark + light
    with pytest.raises(lineament.TeachError, match="nothing was learned") as caught:
        tagger.teach("Coin", mixed[::2], mixed[1::2])
    assert caught.value.figures["balanced_accuracy"] < 0.8
    with pytest.raises(ValueError, match="people"):
        tagger.teach("Dark", dark, light, people=([1], [2]))


def test_a_table_is_measured(tagger, astronaut, tmp_path):
    table = tmp_path / "tags.csv"
    shutil.copy(astronaut, tmp_path / "a.png")
    table.write_text("path,Smiling,Bald,split\na.png,1,0,test\n")
    figures = tagger.evaluate(table, "csv")
    assert (figures["images"], figures["split"], figures["region"]) == (1, "test", "located")
    assert {row["name"]: row["accuracy"] for row in figures["attributes"]} == {"Bald": 1.0, "Smiling": 1.0}
    assert figures["model"]["hash"] == tagger.hash
    with pytest.raises(lineament.DataError, match="validation"):
        tagger.evaluate(table, split="validation")
    with pytest.raises(lineament.DataError, match="gone"):
        tagger.evaluate(tmp_path / "gone")
    with pytest.raises(ValueError, match="train, validation or test"):
        tagger.evaluate(table, split="all")
