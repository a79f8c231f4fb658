//! A tiny model with random weights, measured on images of blocks: the figures mean nothing, but they must be the ones that
//! counting by hand gives.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use lineament::locate::{LnetMethod, PaperParameters};
use lineament::testing::{blocks, random_parts, tiny_card};
use lineament::{Bundle, Limits, OperatingPoint, Photo, Point, Rect, Tagger};
use lineament_data::{Dataset, Framing, Sample, Split};
use lineament_lab::{
    EvaluateError, EvaluateOptions, Evaluation, FaceFrom, Observations, Provenance, evaluate, results,
};
use lineament_net::Precision;

const IMAGES: u32 = 12;

fn tagger(threshold: f32) -> Tagger {
    let mut card = tiny_card();
    card.lnets_mut().unwrap().method =
        LnetMethod::Paper(PaperParameters { threshold, ..PaperParameters::default() });
    let parts = random_parts(&card, 7).unwrap();
    Tagger::new(Bundle::new(&card, &parts, Precision::F32).unwrap()).unwrap()
}

fn data(folder: &Path) -> Dataset {
    let mut data = Dataset::new("blocks");
    // In another order than the model's, with one name that it does not know.
    data.attributes = ["Young", "Smiling", "Freckles"].map(str::to_owned).to_vec();
    for number in 0..IMAGES {
        let path = folder.join(format!("{number}.png"));
        blocks(120, 100, number.into()).save_png(&path).unwrap();
        let mut sample = Sample::new(path, number.to_string(), Framing::Photo);
        sample.split = if number == 0 { Split::Train } else { Split::Test };
        sample.tags = vec![Some(number % 3 != 0), (number != 5).then_some(number % 4 == 0), Some(true)];
        sample.identity = (number != 2).then_some(number / 2);
        sample.rect = Some(Rect::new(30.0, 20.0, 50.0, 60.0));
        let points = [(40.0, 40.0), (60.0, 40.0), (50.0, 50.0), (42.0, 60.0), (58.0, 60.0)];
        sample.landmarks = (number % 4 != 1).then_some(points.map(|(x, y)| Point::new(x, y)));
        data.samples.push(sample);
    }
    data
}

fn measure(tagger: &Tagger, data: &Dataset, region: FaceFrom) -> Result<Evaluation, EvaluateError> {
    let options = EvaluateOptions {
        split: Split::Test,
        region,
        operating_points: &[OperatingPoint::Accuracy],
        background: None,
    };
    Ok(evaluate(tagger, data, &options, &|| ())?.remove(0))
}

fn close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-12, "{left} is not {right}");
}

#[test]
fn figures_are_those_of_counting_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, data) = (tagger(0.0), data(folder.path()));
    let figures = measure(&tagger, &data, FaceFrom::Located).unwrap();
    assert_eq!(figures.images, 11);
    let names: Vec<&str> = figures.attributes.iter().map(|figures| figures.name.as_str()).collect();
    assert_eq!(names, ["Smiling", "Young"], "the model's order");
    assert_eq!(figures.unlabelled.len(), 38);
    assert_eq!(figures.unknown_to_model, ["Freckles"]);

    let (mut right, mut known, mut overlap, mut missed) = (0.0, 0.0, 0.0, 0);
    for sample in &data.samples[1..] {
        let photo = Photo::open(&sample.path, &Limits::default()).unwrap();
        let faces = tagger.predict(&photo).unwrap().faces;
        let face = faces.first();
        missed += usize::from(face.is_none());
        overlap += face.map_or(0.0, |face| f64::from(face.rect.iou(sample.rect.unwrap())));
        if let Some(truth) = sample.tags[1] {
            known += 1.0;
            // Smiling is there in a minority of the images.
            right += f64::from(face.is_some_and(|face| face["Smiling"].present) == truth);
        }
    }
    assert_eq!(figures.faces_missed, missed);
    assert_eq!(figures.attributes[0].labels, known as u64);
    close(figures.attributes[0].accuracy, right / known);
    close(figures.mean_accuracy, (figures.attributes[0].accuracy + figures.attributes[1].accuracy) / 2.0);
    close(figures.localisation.unwrap().mean_iou, overlap / 11.0);
    // Numbers 1 to 11 are of people 0 to 5, but of number 2 nobody knows.
    assert_eq!(figures.people, 7);
    let interval = figures.intervals.unwrap().accuracy;
    assert!(interval.low <= figures.mean_accuracy && figures.mean_accuracy <= interval.high);
}

#[test]
fn missed_faces_are_answered_by_the_majority() {
    let folder = tempfile::tempdir().unwrap();
    let figures = measure(&tagger(1e9), &data(folder.path()), FaceFrom::Located).unwrap();
    assert_eq!(figures.faces_missed, 11);
    close(figures.mean_accuracy, figures.majority_accuracy);
    close(figures.mean_balanced_accuracy, 0.5);
    for attribute in &figures.attributes {
        // All tied at the share of positives: the precision is that share.
        close(attribute.average_precision, attribute.positives);
        close(attribute.roc_auc, 0.5);
    }
    assert_eq!(figures.localisation.unwrap().iou_0_5, 0.0);
}

#[test]
fn faces_that_something_else_found_are_read_like_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, data) = (tagger(0.0), data(folder.path()));
    let own = Observations::of(&tagger, &data, Split::Test, FaceFrom::Located, &|| ()).unwrap();
    let find = |sample: &Sample| {
        let photo = Photo::open(&sample.path, &Limits::default()).unwrap();
        let best = tagger.locate(&photo).unwrap().first().copied()?;
        Some((best, tagger.region_of(&best).unwrap()))
    };
    let other = Observations::found_by(&tagger, &data, Split::Test, &find).unwrap();
    let (own, other) = (own.evaluate(OperatingPoint::Accuracy), other.evaluate(OperatingPoint::Accuracy));
    assert_eq!((&own.attributes, own.faces_missed), (&other.attributes, other.faces_missed));
    close(own.localisation.unwrap().mean_iou, other.localisation.unwrap().mean_iou);
    let nobody = Observations::found_by(&tagger, &data, Split::Test, &|_| None).unwrap();
    let nobody = nobody.evaluate(OperatingPoint::Accuracy);
    assert_eq!(nobody.faces_missed, 11);
    close(nobody.mean_accuracy, nobody.majority_accuracy);
}

#[test]
fn images_without_landmarks_are_read_in_the_usual_region_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, mut data) = (tagger(0.0), data(folder.path()));
    let figures = measure(&tagger, &data, FaceFrom::Landmarks).unwrap();
    assert_eq!((figures.images, figures.faces_missed, figures.without_landmarks), (11, 0, 3));
    assert_eq!(figures.localisation, None);
    // The images are of one size and the landmarks in one place, so the usual region is the true one.
    let landmarks = data.samples[0].landmarks;
    data.samples.iter_mut().for_each(|sample| sample.landmarks = landmarks);
    let given = measure(&tagger, &data, FaceFrom::Landmarks).unwrap();
    assert_eq!(given.without_landmarks, 0);
    assert_eq!(given.attributes, figures.attributes);

    data.samples.iter_mut().for_each(|sample| sample.landmarks = None);
    let refused = measure(&tagger, &data, FaceFrom::Landmarks).unwrap_err();
    assert!(matches!(refused, EvaluateError::NoLandmarks { .. }), "{refused}");
}

#[test]
fn the_framing_that_fits_the_question_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, mut data) = (tagger(0.0), data(folder.path()));
    for sample in &mut data.samples[..4] {
        sample.framing = Framing::Aligned;
    }
    assert_eq!(measure(&tagger, &data, FaceFrom::Landmarks).unwrap().images, 3);
    assert_eq!(measure(&tagger, &data, FaceFrom::Located).unwrap().images, 8);
}

#[test]
fn unreadable_images_are_left_out_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, data) = (tagger(0.0), data(folder.path()));
    std::fs::write(&data.samples[3].path, b"no picture").unwrap();
    let figures = measure(&tagger, &data, FaceFrom::Located).unwrap();
    assert_eq!(figures.images, 10);
    assert_eq!(figures.skipped.len(), 1);
    assert!(figures.skipped[0].reason.contains("3.png"), "{:?}", figures.skipped);
    for sample in &data.samples {
        std::fs::write(&sample.path, b"no picture").unwrap();
    }
    let refused = measure(&tagger, &data, FaceFrom::Located).unwrap_err();
    assert!(matches!(refused, EvaluateError::NothingRead { images: 11, .. }), "{refused}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, mut data) = (tagger(0.0), data(folder.path()));
    data.attributes = ["A", "B", "C"].map(str::to_owned).to_vec();
    let refused = measure(&tagger, &data, FaceFrom::Located).unwrap_err().to_string();
    assert!(refused.contains("model show"), "{refused}");
    data.samples.clear();
    let refused = measure(&tagger, &data, FaceFrom::Located).unwrap_err().to_string();
    assert!(refused.contains("test part"), "{refused}");
}

#[test]
fn threads_do_not_change_a_figure() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, data) = (tagger(0.0), data(folder.path()));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| measure(&tagger, &data, FaceFrom::Located)).unwrap()
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn both_operating_points_come_from_one_pass_with_background() {
    let folder = tempfile::tempdir().unwrap();
    let (tagger, data) = (tagger(0.0), data(folder.path()));
    let points = [OperatingPoint::Accuracy, OperatingPoint::Balanced];
    let options = EvaluateOptions {
        split: Split::Test,
        region: FaceFrom::Located,
        operating_points: &points,
        background: Some(&data),
    };
    let looked = std::sync::atomic::AtomicUsize::new(0);
    let count = || {
        looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    let both = evaluate(&tagger, &data, &options, &count).unwrap();
    assert_eq!(looked.into_inner(), 11 + 12);
    assert_eq!(lineament_lab::evaluate::images(&data, &options), 11 + 12);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].attributes[0].average_precision, both[1].attributes[0].average_precision);
    let background = both[0].background.as_ref().unwrap();
    assert_eq!((background.images, background.face_images), (12, 11));

    let written = serde_json::to_value(&both[0]).unwrap();
    assert_eq!(written["split"], "test");
    assert_eq!(written["region"], "located");
    assert_eq!(written["images"], 11);
    for field in ["mean_accuracy", "mean_balanced_accuracy", "mean_average_precision", "majority_accuracy"] {
        assert!(written[field].is_f64(), "{field}");
    }
    for field in ["name", "accuracy", "balanced_accuracy", "average_precision", "f1", "positives"] {
        assert!(!written["attributes"][0][field].is_null(), "{field}");
    }
    for field in ["iou_0_5", "tpr_at_fppi_0_01", "tpr_at_fppi_0_1", "mean_iou"] {
        assert!(written["localisation"][field].is_number(), "{field}");
    }
    assert_eq!(serde_json::from_value::<Evaluation>(written).unwrap(), both[0]);

    let provenance = Provenance::of("lineament evaluate --data blocks", Path::new("/"), 2);
    let page = results::results(&both, "blocks", &provenance);
    for said in
        ["# Results", "87.30", "majority", "| Smiling |", "balanced", "2 threads", "unknown", tagger.hash()]
    {
        assert!(page.contains(said), "{said} in\n{page}");
    }
    assert!(!page.contains("NaN"));
}
