use super::*;
use crate::locate::{Cells, Lnets, LocalizerSpec, PyramidParameters};
use crate::testing::{blocks, random_parts, tiny_bundle, tiny_card};
use crate::{Tagger, locate::LnetMethod};
use lineament_net::{Layer, NetSpec, Precision, Shape};

/// A bundle of three attributes whose LNets answer for windows, a channel for the face and one for each of them.
fn with_head() -> Bundle {
    let mut card = tiny_card();
    card.attributes.truncate(3);
    let conv = |name: &str, filters, kernel, stride| Layer::Conv {
        name: name.to_owned(),
        filters,
        kernel,
        stride,
        padding: 0,
        bias: true,
    };
    let lnet = |name: &str| NetSpec {
        name: name.to_owned(),
        input: Shape::new(3, 16, 16),
        layers: vec![conv("conv1", 4, 4, 4), Layer::Relu, conv("responses", 4, 4, 1)],
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
    let face = Rect::new(30.0, 20.0, 40.0, 50.0);
    for bundle in [with_head(), tiny_bundle(4).unwrap()] {
        let explainer = Explainer::new(&bundle, &Engine::Native).unwrap();
        let tagger = Tagger::new(bundle).unwrap();
        let region = tagger.region_of_box(face).unwrap();
        let told = explainer.explain(&photo, face, &ExplainOptions::default()).unwrap();
        let answers: Vec<Attribute> = told.iter().map(|told| told.attribute).collect();
        assert_eq!(answers, tagger.attributes_in(&photo, region).unwrap());
        let all = ExplainOptions { neurons: usize::MAX, ..ExplainOptions::default() };
        for told in explainer.explain(&photo, face, &all).unwrap() {
            assert!((told.neurons.partial_score - told.score).abs() < 1e-4);
            assert!(told.neurons.same_answer && told.source == MapSource::Hidden);
        }
    }
}

#[test]
fn maps_are_the_channels_of_the_net_or_what_hiding_costs() {
    let photo = blocks(120, 100, 5);
    let face = Rect::new(30.0, 20.0, 40.0, 50.0);
    let explainer = Explainer::new(&with_head(), &Engine::Native).unwrap();
    let options = ExplainOptions {
        attributes: Some(vec![2, 0]),
        source: MapSource::Responses,
        ..ExplainOptions::default()
    };
    let told = explainer.explain(&photo, face, &options).unwrap();
    assert_eq!(told.iter().map(|told| told.attribute.index).collect::<Vec<_>>(), [2, 0]);
    assert!(told.iter().all(|told| told.source == MapSource::Responses));
    assert_ne!(told[0].map, told[1].map);
    let headless = Explainer::new(&tiny_bundle(4).unwrap(), &Engine::Native).unwrap();
    assert!(
        headless.explain(&photo, face, &options).unwrap().iter().all(|told| told.source == MapSource::Hidden)
    );
    let hidden = ExplainOptions { source: MapSource::Hidden, ..options };
    for told in explainer.explain(&photo, face, &hidden).unwrap() {
        assert_eq!((told.source, told.map.width()), (MapSource::Hidden, 12));
    }
    // Nothing can be hidden on a plain ground.
    let grey = Photo::filled(90, 90, [90; 3]);
    for told in explainer.explain(&grey, face, &hidden).unwrap() {
        assert_eq!(told.map.range(), (0.0, 0.0));
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let explainer = Explainer::new(&with_head(), &Engine::Native).unwrap();
    let photo = blocks(60, 60, 1);
    let options = ExplainOptions { attributes: Some(vec![3]), ..ExplainOptions::default() };
    let refused = explainer.explain(&photo, photo.rect(), &options);
    assert!(matches!(refused, Err(ExplainError::Attribute { index: 3, attributes: 3 })));
    let flat = Rect::new(1.0, 1.0, 0.0, 5.0);
    assert!(explainer.explain(&photo, flat, &ExplainOptions::default()).is_err());
}

#[test]
fn a_region_hangs_together_with_the_peak() {
    let values = vec![9.0, 0.0, 0.0, 8.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let map = ResponseMap::new(4, 3, values, Cells::PIXELS).unwrap();
    assert_eq!(regions::around_peak(&map), Rect::new(0.0, 0.0, 1.0, 2.0));
    let flat = ResponseMap::new(2, 2, vec![1.0; 4], Cells::PIXELS).unwrap();
    assert_eq!(regions::around_peak(&flat), Rect::new(0.0, 0.0, 2.0, 2.0));
}
