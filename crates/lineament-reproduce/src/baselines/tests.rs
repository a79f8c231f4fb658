use lineament::bundle::Card;
use lineament::locate::{Detector, Family, LocalizerSpec};
use lineament::testing::{blocks, random_parts, tiny_card};
use lineament::{BundleError, Point};
use lineament_net::{Layer, NetSpec, Precision, Shape};

use super::facetracer::FaceTracer;
use super::panda::Holistic;
use super::*;
use lineament_lab::insight::Hog;

fn net(side: usize) -> NetSpec {
    let conv = Layer::Conv {
        name: "conv1".to_owned(),
        filters: 5,
        kernel: 1,
        stride: 1,
        padding: [0; 2],
        groups: 1,
        bias: true,
    };
    NetSpec {
        name: "net".to_owned(),
        input: Shape::new(3, side, side),
        layers: vec![Layer::AvgPool { kernel: 8, stride: 8, padding: 0 }, conv, Layer::Relu],
    }
}

fn baselines() -> [Baseline; 2] {
    let part = |name: &str, x: f32| Part::new(name, [x, 0.0], [1.5, 1.5], [16, 16]);
    let parts = || vec![part("left", -0.5), part("right", 0.5)];
    let facetracer = FaceTracer {
        parts: parts(),
        hog: Hog::default(),
        colours: ColourHistogram::default(),
        colour_weight: 0.5,
        power: 0.5,
    };
    let panda = Panda {
        parts: parts(),
        net: net(16),
        holistic: vec![Holistic { part: Part::new("head", [0.0, 0.5], [4.0, 4.0], [24, 24]), net: net(24) }],
        power: 0.3,
    };
    [Baseline::Facetracer(facetracer), Baseline::Panda(panda)]
}

fn cards() -> Vec<Card> {
    let localizers = [LocalizerSpec::Given, LocalizerSpec::Detector(Detector::of(Family::Yunet))];
    let card = |baseline: &Baseline, localizer: &LocalizerSpec| Card {
        format: Card::FORMAT,
        localizer: localizer.clone(),
        extractor: Extractor::Custom(baseline.to_card().unwrap()),
        ..tiny_card()
    };
    baselines().iter().flat_map(|one| localizers.iter().map(move |localizer| card(one, localizer))).collect()
}

fn face() -> [Point; 5] {
    [(40.0, 50.0), (80.0, 52.0), (60.0, 75.0), (43.0, 94.0), (76.0, 95.0)].map(|(x, y)| Point::new(x, y))
}

#[test]
fn what_cards_say_is_read_back() {
    for baseline in baselines() {
        let card = baseline.to_card().unwrap();
        card.check().unwrap();
        assert_eq!(Baseline::of_card(&card).unwrap(), baseline);
    }
}

#[test]
fn bundles_are_written_and_read_back() {
    for card in cards() {
        let mut parts = random_parts(&card, 5).unwrap();
        parts.detector = parts.detector.map(|_| (0..=255).collect());
        let bundle = Bundle::new(&card, &parts, Precision::F32).unwrap();
        let read = Bundle::read(bundle.bytes()).unwrap();
        assert_eq!((read.card(), read.parts()), (&card, &parts));
        // What is taught later leaves nets and detector as they are.
        let again = read.with_svms(&card, &parts.svms).unwrap();
        assert_eq!(again.hash(), bundle.hash());
    }
}

#[test]
fn faces_are_described_by_given_landmarks() {
    let photo = blocks(120, 130, 8);
    for card in cards().into_iter().filter(|card| card.localizer == LocalizerSpec::Given) {
        let bundle = Bundle::new(&card, &random_parts(&card, 5).unwrap(), Precision::F32).unwrap();
        let refused = Tagger::new(bundle.clone()).unwrap_err().to_string();
        assert!(refused.contains("--features train"), "{refused}");
        let tagger = builder(bundle, Engine::Native).unwrap().build().unwrap();
        let place = tagger.region_of_landmarks(&face()).unwrap();
        assert_eq!(tagger.describe(&photo, place).unwrap().len(), 40);
        let refused = tagger.predict(&photo).unwrap_err().to_string();
        assert!(refused.contains("landmarks") && refused.contains("--detector"), "{refused}");
        let refused = tagger.card().region_of_box(photo.rect()).unwrap_err().to_string();
        assert!(refused.contains("landmarks"), "{refused}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let cards = cards();
    let refused = |card: &Card| card.check().unwrap_err().to_string();
    for card in &cards {
        let without = Card { localizer: tiny_card().localizer, ..card.clone() };
        assert!(refused(&without).contains("landmarks"), "{}", refused(&without));
    }
    // A detector's file where there should be none.
    let mut parts = random_parts(&cards[0], 5).unwrap();
    parts.detector = Some(vec![1, 2, 3]);
    assert!(matches!(Bundle::new(&cards[0], &parts, Precision::F16), Err(BundleError::Stray(_))));
    let mut parts = random_parts(&cards[2], 5).unwrap();
    parts.nets.remove("part_left");
    assert!(Bundle::new(&cards[2], &parts, Precision::F16).is_err());

    let [facetracer, panda] = baselines().map(|baseline| baseline.to_card().unwrap());
    let other = CustomExtractor { kind: "poselets".to_owned(), ..facetracer.clone() };
    assert!(matches!(Baseline::of_card(&other), Err(BaselineError::Unknown(_))));
    let other = CustomExtractor { features: facetracer.features + 1, ..facetracer.clone() };
    assert!(matches!(Baseline::of_card(&other), Err(BaselineError::Mismatch(_))));
    let other = CustomExtractor { settings: panda.settings.clone(), ..facetracer };
    assert!(matches!(Baseline::of_card(&other), Err(BaselineError::Settings { .. })));
    let mut other = panda.clone();
    other.nets.remove("part_left");
    assert!(Baseline::of_card(&other).is_err());
    let mut other = panda;
    other.nets.insert("part_left".to_owned(), net(24));
    assert!(Baseline::of_card(&other).is_err());
}
