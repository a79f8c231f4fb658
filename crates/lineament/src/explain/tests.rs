use super::*;
use crate::locate::{Cells, Lnets, LocalizerSpec, PyramidParameters, WindowToBox};
use crate::testing::{blocks, random_parts, tiny_bundle, tiny_card};
use crate::{Bundle, Error, Face, Selection, Tagger, locate::LnetMethod};
use lineament_net::{Layer, NetSpec, Precision, Shape};

/// A bundle of three attributes whose LNets answer for windows, six channels for the face and one for each of them.
fn with_head() -> Bundle {
    let mut card = tiny_card();
    card.attributes.truncate(3);
    let conv = |name: &str, filters, kernel, stride| Layer::Conv {
        name: name.to_owned(),
        filters,
        kernel,
        stride,
        padding: [0; 2],
        groups: 1,
        bias: true,
    };
    let lnet = |name: &str| NetSpec {
        name: name.to_owned(),
        input: Shape::new(3, 16, 16),
        layers: vec![conv("conv1", 4, 4, 4), Layer::Relu, conv("responses", 9, 4, 1)],
    };
    card.localizer = LocalizerSpec::Lnets(Lnets {
        lnet_o: lnet("lnet_o"),
        lnet_s: lnet("lnet_s"),
        method: LnetMethod::Pyramid(PyramidParameters::default()),
    });
    let parts = random_parts(&card, 3).unwrap();
    Bundle::new(&card, &parts, Precision::F32).unwrap()
}

#[test]
fn explanations_answer_as_the_tagger_does() {
    let photo = blocks(120, 100, 5);
    let face = Face::new(Rect::new(30.0, 20.0, 40.0, 50.0), 1.0);
    for bundle in [with_head(), tiny_bundle(4).unwrap()] {
        let all = Tagger::new(bundle).unwrap();
        let strict = all.with(&Selection { threshold: Some(0.6), ..Selection::default() }).unwrap();
        for tagger in [all, strict] {
            let explained = tagger.explain(&photo, &face, &ExplainOptions::default()).unwrap();
            let answers = tagger.describe(&photo, face).unwrap();
            assert_eq!(explained.len(), answers.len());
            for (one, answer) in explained.iter().zip(&answers) {
                assert_eq!(
                    (&one.name, one.present, one.probability),
                    (&answer.name, answer.present, answer.probability)
                );
            }
            let every = ExplainOptions { neurons: usize::MAX, ..ExplainOptions::default() };
            for one in tagger.explain(&photo, &face, &every).unwrap() {
                assert!((one.neurons.partial_score - one.score).abs() < 1e-4);
                assert!(one.neurons.same_answer && one.source == MapSource::Hidden);
            }
        }
    }
}

#[test]
fn maps_are_the_channels_of_the_net_or_what_hiding_costs() {
    let photo = blocks(120, 100, 5);
    let face = Face::new(Rect::new(30.0, 20.0, 40.0, 50.0), 1.0);
    let two = |bundle: Bundle| {
        let names = [2, 0].map(|index: usize| bundle.card().attributes[index].name.clone());
        let tagger = Tagger::builder().bundle(bundle).attributes(names.clone()).build().unwrap();
        (tagger, names)
    };
    let (tagger, names) = two(with_head());
    let options = ExplainOptions { source: MapSource::Responses, ..ExplainOptions::default() };
    let explained = tagger.explain(&photo, &face, &options).unwrap();
    assert_eq!(explained.iter().map(|one| &*one.name).collect::<Vec<_>>(), names);
    assert!(explained.iter().all(|one| one.source == MapSource::Responses));
    assert_ne!(explained[0].map, explained[1].map);
    let (headless, _) = two(tiny_bundle(4).unwrap());
    assert!(
        headless.explain(&photo, &face, &options).unwrap().iter().all(|one| one.source == MapSource::Hidden)
    );
    let hidden = ExplainOptions { source: MapSource::Hidden, ..options };
    for one in tagger.explain(&photo, &face, &hidden).unwrap() {
        assert_eq!((one.source, one.map.width()), (MapSource::Hidden, 12));
    }
    // Nothing can be hidden on a plain ground.
    let grey = Photo::filled(90, 90, [90; 3]);
    for one in tagger.explain(&grey, &face, &hidden).unwrap() {
        assert_eq!(one.map.range(), (0.0, 0.0));
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let tagger = Tagger::new(with_head()).unwrap();
    let photo = blocks(60, 60, 1);
    let flat = Face::new(Rect::new(1.0, 1.0, 0.0, 5.0), 1.0);
    let refused = tagger.explain(&photo, &flat, &ExplainOptions::default());
    assert!(matches!(refused, Err(Error::Explain(ExplainError::Region(_)))));
}

#[test]
fn an_explanation_is_written_with_its_answer() {
    let tagger = Tagger::new(with_head()).unwrap();
    let face = Face::new(Rect::new(30.0, 20.0, 40.0, 50.0), 1.0);
    let explained = tagger.explain(blocks(120, 100, 5), &face, &ExplainOptions::default()).unwrap();
    let written = serde_json::to_string(&explained[0]).unwrap();
    let keys = [
        "name",
        "value",
        "probability",
        "score",
        "region",
        "region_from",
        "strongest",
        "bias",
        "partial_score",
        "share",
        "same_answer",
    ];
    let places: Vec<usize> = keys.iter().map(|key| written.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{written}");
    assert!(written.contains(r#""region":{"x":"#) && written.contains(r#""region_from":"hidden""#));
}

#[test]
fn a_region_hangs_together_with_the_peak() {
    let values = vec![9.0, 0.0, 0.0, 8.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let map = ResponseMap::new(4, 3, values, Cells::PIXELS).unwrap();
    assert_eq!(regions::around_peak(&map), Rect::new(0.0, 0.0, 1.0, 2.0));
    let flat = ResponseMap::new(2, 2, vec![1.0; 4], Cells::PIXELS).unwrap();
    assert_eq!(regions::around_peak(&flat), Rect::new(0.0, 0.0, 2.0, 2.0));
}

/// The photo turned clockwise by a quarter.
fn quarter(photo: &Photo) -> Photo {
    let (width, height) = (photo.height(), photo.width());
    let mut turned = Photo::filled(width, height, [0; 3]);
    for (at, pixel) in turned.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (at as u32 % width, at as u32 / width);
        *pixel = photo.pixel(y, width - 1 - x).unwrap();
    }
    turned
}

#[test]
fn a_turned_face_is_explained_where_it_is() {
    let (tagger, photo) = (Tagger::new(with_head()).unwrap(), blocks(160, 160, 5));
    let WindowToBox { width, height, .. } = PyramidParameters::default().face;
    let upright = Face::new(Rect::about(Point::new(90.0, 70.0), 60.0 * width, 60.0 * height), 1.0);
    let rect = Rect::about(Point::new(90.0, 90.0), 60.0 * height, 60.0 * width);
    let lying = Face { roll: Some(90.0), ..Face::new(rect, 1.0) };
    for source in [MapSource::Hidden, MapSource::Responses] {
        let options = ExplainOptions { source, ..ExplainOptions::default() };
        let before = tagger.explain(&photo, &upright, &options).unwrap();
        let after = tagger.explain(quarter(&photo), &lying, &options).unwrap();
        for (one, other) in before.iter().zip(&after) {
            assert!((one.score - other.score).abs() < 0.02, "{} {}", one.score, other.score);
            let (least, most) = one.map.range();
            for (x, y) in [(90.0, 70.0), (70.0, 60.0), (105.0, 85.0)] {
                let [here, there] =
                    [one.map.sample(Point::new(x, y)), other.map.sample(Point::new(160.0 - y, x))];
                assert!(
                    (here - there).abs() < 0.15 * (most - least),
                    "{source:?}: {here} {there} of {least} to {most}"
                );
            }
        }
    }
}
