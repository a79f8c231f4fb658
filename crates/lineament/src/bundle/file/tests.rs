#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::Photo;
use crate::attributes::{CustomExtractor, DescribeError, Embedding, Extractor, FaceRegion, FeatureExtractor};
use crate::locate::Family;
use crate::testing::{random_parts, tiny_bundle, tiny_card};
use crate::{Tagger, bundle::CardError};
use lineament_net::{Layer, Shape};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The file of this card, whatever it says, with the tensors and a right checksum of the tiny model.
fn forged(card: &str) -> Vec<u8> {
    let bundle = tiny_bundle(1).unwrap();
    let file = SafeTensors::deserialize(bundle.bytes()).unwrap();
    let metadata = [(CARD.to_owned(), card.to_owned()), (CHECKSUM.to_owned(), checksum(card, &file))];
    safetensors::serialize(file.tensors(), Some(metadata.into())).unwrap()
}

fn edited(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut card = serde_json::to_value(tiny_card()).unwrap();
    edit(&mut card);
    forged(&card.to_string())
}

fn refusal(bytes: &[u8]) -> String {
    Bundle::read(bytes).expect_err("read though it is wrong").to_string()
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.lineament");
    let card = tiny_card();
    let parts = random_parts(&card, 7).unwrap();
    for precision in [Precision::F16, Precision::F32] {
        let bundle = Bundle::new(&card, &parts, precision).unwrap();
        bundle.write(&path).unwrap();
        let read = Bundle::open(&path).unwrap();
        assert_eq!(read.card(), &card);
        assert_eq!(read.parts(), bundle.parts());
        assert_eq!(read.hash(), bundle.hash());
        assert_eq!(read.parts().svms, parts.svms);
        assert_eq!(*read.parts() == parts, precision == Precision::F32);
        assert_eq!(std::fs::read(&path).unwrap(), bundle.bytes());
    }
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    assert_eq!(tiny_bundle(4).unwrap().hash(), tiny_bundle(4).unwrap().hash());
    assert_ne!(tiny_bundle(4).unwrap().hash(), tiny_bundle(5).unwrap().hash());
    assert_eq!(tiny_bundle(4).unwrap().hash().len(), 64);
}

#[test]
fn any_safetensors_reader_opens_it() {
    let bundle = tiny_bundle(1).unwrap();
    let file = SafeTensors::deserialize(bundle.bytes()).unwrap();
    assert_eq!(file.tensor("svm.weight").unwrap().shape(), [40, 6]);
    assert_eq!(file.tensor("svm.weight").unwrap().dtype(), safetensors::Dtype::F32);
    assert_eq!(file.tensor("anet.fc.weight").unwrap().dtype(), safetensors::Dtype::F16);
    // Tensors begin at an aligned byte, so that others may map the file.
    let (length, _) = SafeTensors::read_metadata(bundle.bytes()).unwrap();
    assert_eq!(length % 8, 0);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bundle = tiny_bundle(1).unwrap();
    let bytes = bundle.bytes();
    let lengths =
        (0..bytes.len()).filter(|length| *length < 64 || length % 61 == 0 || bytes.len() - length < 64);
    for length in lengths {
        assert!(Bundle::read(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
    }
    assert!(Bundle::read(&[bytes, &[0]].concat()).is_err());
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let bundle = tiny_bundle(1).unwrap();
    let mut bytes = bundle.bytes().to_vec();
    for at in (0..bytes.len()).filter(|at| *at < 128 || at % 13 == 0) {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        assert!(Bundle::read(&bytes).is_err(), "bit {bit} of byte {at}");
        bytes[at] ^= bit;
    }
    assert!(Bundle::read(&bytes).is_ok());
}

#[test]
fn other_files_are_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.bin");
    for bytes in [&b""[..], b"\xff\xd8\xff\xe0 a picture", &[0; 4096], &[255; 4096]] {
        std::fs::write(&path, bytes).unwrap();
        let said = Bundle::open(&path).unwrap_err().to_string();
        assert!(said.contains("other.bin") && said.contains("no bundle"), "{said}");
    }
    let weights =
        tiny_bundle(1).unwrap().parts().net("anet").unwrap().to_safetensors(Precision::F32).unwrap();
    assert!(refusal(&weights).contains("no card"));
    let said = Bundle::open(folder.path().join("missing")).unwrap_err().to_string();
    assert!(said.contains("missing"), "{said}");
    let said = Bundle::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains("folder"), "{said}");
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge");
    File::create(&path).unwrap().set_len(Bundle::MAX_BYTES + 1).unwrap();
    let said = Bundle::open(&path).unwrap_err();
    assert!(
        matches!(&said, BundleError::At { cause, .. } if matches!(**cause, BundleError::TooLarge { .. }))
    );
}

#[test]
fn a_newer_format_is_refused_with_the_advice_to_update() {
    let newer = forged(r#"{"format": 3, "whatever": [1, 2, 3]}"#);
    assert!(refusal(&newer).contains("update lineament"));
    // Its checksum may be made in another way, too.
    let bytes = safetensors::serialize(
        Vec::<(String, Stored)>::new(),
        Some([(CARD.to_owned(), r#"{"format": 900}"#.to_owned())].into()),
    );
    assert!(refusal(&bytes.unwrap()).contains("update lineament"));
    for older in ["format 0", "format 1"] {
        let json = format!(r#"{{"format": {}}}"#, &older[7..]);
        assert!(refusal(&forged(&json)).contains(older));
    }
}

#[test]
fn forged_cards_are_refused_for_what_is_wrong_with_them() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("name", edited(|card| card["name"] = json!("\u{1b}[2J"))),
        ("licence", edited(|card| card["licence"] = json!(""))),
        ("note", edited(|card| card["note"] = json!("\u{7}"))),
        ("lnet_o", edited(|card| card["locator"]["lnet_o"]["layers"][0]["stride"] = json!(0))),
        ("lnet_s", edited(|card| card["locator"]["lnet_s"]["layers"][0]["filters"] = json!(5))),
        ("lnet_s", edited(|card| card["locator"]["lnet_s"]["input"]["height"] = json!(1_000_000))),
        ("anet", edited(|card| card["describer"]["anet"]["input"]["width"] = json!(17))),
        ("lnet_o", edited(|card| card["locator"]["lnet_o"]["layers"][0]["padding"] = json!(500))),
        ("preprocess", edited(|card| card["preprocess"]["std"][1] = json!(0))),
        ("region", edited(|card| card["describer"]["region"]["enlarge"] = json!(-1))),
        ("patches", edited(|card| card["describer"]["patches"]["offsets"] = json!([[9, 0]]))),
        ("patches", edited(|card| card["describer"]["patches"]["offsets"] = json!([]))),
        ("localisation", edited(|card| card["locator"]["localisation"]["overlap"] = json!(2))),
        ("twice", edited(|card| card["attributes"][3]["name"] = json!("Bald"))),
        ("Bald", edited(|card| card["attributes"][4]["positives"] = json!(7))),
        ("Bald", edited(|card| card["attributes"][4]["platt"]["a"] = json!(1e300))),
        ("SVMs", edited(|card| card["attributes"] = json!([card["attributes"][0]]))),
        ("Freckles", edited(|card| card["quality"]["certainty"]["Freckles"] = json!(1))),
        ("not finite", edited(|card| card["quality"]["bias"] = json!(1e300))),
        ("0 attributes", edited(|card| card["attributes"] = json!([]))),
        ("unknown field", edited(|card| card["extra"] = json!(1))),
        ("missing field", edited(|card| drop(card.as_object_mut().unwrap().remove("describer")))),
        ("missing field", edited(|card| drop(card["describer"].as_object_mut().unwrap().remove("region")))),
        ("cannot be read", forged("[]")),
        ("cannot be read", forged("")),
        ("cannot be read", forged(&"[".repeat(100_000))),
        ("long", forged(&" ".repeat(Card::MAX_BYTES + 1))),
    ];
    for (expected, bytes) in cases {
        let said = refusal(&bytes);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn a_linear_layer_in_an_lnet_is_refused() {
    let layer = json!({"kind": "linear", "name": "fc", "outputs": 4});
    let said = refusal(&edited(|card| card["locator"]["lnet_o"]["layers"] = json!([layer])));
    assert!(said.contains("fully connected"), "{said}");
}

#[test]
fn stray_missing_and_misshapen_tensors_are_refused() {
    let bundle = tiny_bundle(1).unwrap();
    let json = bundle.card().to_json().unwrap();
    let with = |edit: &dyn Fn(&mut BTreeMap<String, Array>)| {
        let mut arrays: BTreeMap<_, _> =
            Weights::from_safetensors(bundle.bytes(), "").unwrap().into_iter().collect();
        edit(&mut arrays);
        let stored = arrays.into_iter().map(|(name, array)| {
            let stored = array.to_stored(&name, Precision::F32).unwrap();
            (name, stored)
        });
        assemble(stored.collect(), json.clone()).unwrap()
    };
    let one = || Array { shape: vec![1], data: vec![0.0] };
    assert!(Bundle::read(&with(&|_| {})).is_ok());
    let said = refusal(&with(&|t| drop(t.insert("lnet_x.weight".into(), one()))));
    assert!(said.contains("lnet_x.weight"), "{said}");
    let said = refusal(&with(&|t| drop(t.insert("svm.slope".into(), one()))));
    assert!(said.contains("svm.slope"), "{said}");
    let said = refusal(&with(&|t| drop(t.insert("anet.more".into(), one()))));
    assert!(said.contains("more"), "{said}");
    let said = refusal(&with(&|t| drop(t.remove("svm.bias"))));
    assert!(said.contains("svm.bias"), "{said}");
    let said = refusal(&with(&|t| drop(t.remove("lnet_o.conv1.bias"))));
    assert!(said.contains("conv1.bias"), "{said}");
    let said = refusal(&with(&|t| t.get_mut("svm.weight").unwrap().shape = vec![6, 40]));
    assert!(said.contains("[6, 40]"), "{said}");
    let said = refusal(&with(&|t| t.get_mut("svm.bias").unwrap().data[3] = f32::NAN));
    assert!(said.contains("svm.bias"), "{said}");
    let said = refusal(&with(&|t| t.get_mut("anet.fc.weight").unwrap().data[3] = f32::INFINITY));
    assert!(said.contains("fc.weight"), "{said}");
}

#[test]
fn a_card_that_cannot_be_read_is_not_written() {
    let card = tiny_card();
    let parts = random_parts(&card, 1).unwrap();
    let mut nan = card.clone();
    nan.scores.insert("mean_accuracy".to_owned(), f64::NAN);
    let refused = Bundle::new(&nan, &parts, Precision::F16);
    assert!(matches!(refused, Err(BundleError::Card(CardError::Score(_)))));
    let mut fewer = card;
    fewer.attributes.pop();
    assert!(matches!(Bundle::new(&fewer, &parts, Precision::F16), Err(BundleError::SvmShape { .. })));
}

/// Cards of the second format: every other way to locate and to describe.
fn open_cards() -> Vec<Card> {
    let net = |side| NetSpec {
        name: "net".to_owned(),
        input: Shape::new(3, side, side),
        layers: vec![Layer::AvgPool { kernel: 8, stride: 8, padding: 0 }, conv(), Layer::Relu],
    };
    let custom = |nets: &[(&str, usize)]| {
        Extractor::Custom(CustomExtractor {
            kind: "parts".to_owned(),
            about: "Parts of the face".to_owned(),
            features: 7,
            nets: nets.iter().map(|(name, side)| ((*name).to_owned(), net(*side))).collect(),
            settings: serde_json::json!({ "power": 0.3, "parts": ["left", "right"] }),
        })
    };
    let counted = custom(&[]);
    let learned = custom(&[("part_left", 16), ("part_right", 16), ("whole_head", 24)]);
    let anet = tiny_card().extractor;
    let lnets = tiny_card().localizer;
    let yunet = LocalizerSpec::Detector(Detector::of(Family::Yunet));
    let ultraface = LocalizerSpec::Detector(Detector::of(Family::Ultraface));
    [
        (lnets, anet.clone()),
        (ultraface, anet.clone()),
        (yunet.clone(), anet),
        (LocalizerSpec::Given, counted.clone()),
        (yunet.clone(), counted),
        (LocalizerSpec::Given, learned.clone()),
        (yunet, learned),
    ]
    .map(|(localizer, extractor)| Card { format: Card::FORMAT, localizer, extractor, ..tiny_card() })
    .to_vec()
}

fn conv() -> Layer {
    Layer::Conv {
        name: "conv1".to_owned(),
        filters: 5,
        kernel: 1,
        stride: 1,
        padding: [0; 2],
        groups: 1,
        bias: true,
    }
}

#[test]
fn every_way_to_locate_and_to_describe_is_written_and_read_back() {
    for card in open_cards() {
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

/// An extractor that a program brings along.
struct Constant;

impl FeatureExtractor for Constant {
    fn features(&self) -> usize {
        7
    }

    fn embed(&self, _: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        match region {
            FaceRegion::Landmarks(_) => Ok(vec![0.5; 7]),
            FaceRegion::Region(_) | FaceRegion::Turned { .. } => Err(DescribeError::NeedsLandmarks),
        }
    }
}

#[test]
fn faces_are_described_by_given_landmarks() {
    let face = [(40.0, 50.0), (80.0, 52.0), (60.0, 75.0), (43.0, 94.0), (76.0, 95.0)];
    let face = face.map(|(x, y)| crate::Point::new(x, y));
    let photo = crate::testing::blocks(120, 130, 8);
    for card in open_cards().into_iter().filter(|card| card.localizer == LocalizerSpec::Given) {
        let bundle = Bundle::new(&card, &random_parts(&card, 5).unwrap(), Precision::F32).unwrap();
        let refused = Tagger::new(bundle.clone()).unwrap_err().to_string();
        assert!(refused.contains("Parts of the face (parts)"), "{refused}");
        let tagger = Tagger::builder().bundle(bundle).extractor(Box::new(Constant)).build().unwrap();
        let place = tagger.region_of_landmarks(&face).unwrap();
        assert_eq!(tagger.describe(&photo, place).unwrap().len(), 40);
        let refused = tagger.predict(&photo).unwrap_err().to_string();
        assert!(refused.contains("landmarks") && refused.contains("--detector"), "{refused}");
        let refused = tagger.card().region_of_box(photo.rect()).unwrap_err().to_string();
        assert!(refused.contains("landmarks"), "{refused}");
    }
}

#[test]
fn ways_that_do_not_fit_together_are_refused() {
    let cards = open_cards();
    let refused = |card: &Card| card.check().unwrap_err().to_string();
    let without = Card { localizer: tiny_card().localizer, ..cards[3].clone() };
    assert!(refused(&without).contains("landmarks"), "{}", refused(&without));
    let without = Card { localizer: cards[1].localizer.clone(), ..cards[5].clone() };
    assert!(refused(&without).contains("landmarks"), "{}", refused(&without));
    let first = Card { format: 1, ..cards[1].clone() };
    assert!(refused(&first).contains("format 1"), "{}", refused(&first));
    // A detector's file that is not there, or where there should be none.
    let mut parts = random_parts(&cards[1], 5).unwrap();
    parts.detector = None;
    assert!(matches!(Bundle::new(&cards[1], &parts, Precision::F16), Err(BundleError::NoDetector)));
    let mut parts = random_parts(&cards[3], 5).unwrap();
    parts.detector = Some(vec![1, 2, 3]);
    assert!(matches!(Bundle::new(&cards[3], &parts, Precision::F16), Err(BundleError::Stray(_))));
    let mut parts = random_parts(&cards[5], 5).unwrap();
    parts.nets.remove("part_left");
    assert!(Bundle::new(&cards[5], &parts, Precision::F16).is_err());
}

#[cfg(not(feature = "default-model"))]
#[test]
fn a_build_without_a_model_says_how_to_get_one() {
    assert!(Bundle::embedded().unwrap_err().to_string().contains("--model"));
}

#[cfg(feature = "default-model")]
#[test]
fn the_embedded_model_is_whole() {
    Tagger::new(Bundle::embedded().unwrap()).unwrap();
}

/// Every pointer into a JSON value where something else could stand.
fn pointers(value: &Value, here: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    found.push(here.clone());
    let mut into = |key: String, value: &Value| {
        here.push(key);
        pointers(value, here, found);
        here.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| into(key.clone(), value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| into(at.to_string(), value)),
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::ANY.prop_map(Value::from),
        (-3_i64..70).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Anything put anywhere in the card, with a right checksum: refused, or a model that can be built. Never a panic.
    #[test]
    fn forged_values_never_panic(at in any::<prop::sample::Index>(), value in any_json()) {
        let mut card = serde_json::to_value(tiny_card()).unwrap();
        let mut found = Vec::new();
        pointers(&card, &mut Vec::new(), &mut found);
        let place = at.get(&found);
        let pointer: String = place.iter().map(|key| format!("/{key}")).collect();
        *card.pointer_mut(&pointer).unwrap() = value;
        if let Ok(bundle) = Bundle::read(&forged(&card.to_string())) {
            let tagger = Tagger::new(bundle).unwrap();
            let photo = crate::testing::blocks(90, 70, 1);
            match tagger.describe(&photo, crate::attributes::FaceRegion::from(photo.rect())) {
                Ok(attributes) => prop_assert!(attributes.iter().all(|a| (0.0..=1.0).contains(&a.probability))),
                Err(error) => prop_assert!(error.to_string().contains("not finite"), "{error}"),
            }
        }
    }

    /// The same for the other ways to locate and to describe.
    #[test]
    fn forged_values_of_the_second_format_never_panic(
        which in 0..7_usize, at in any::<prop::sample::Index>(), value in any_json(),
    ) {
        let card = open_cards().swap_remove(which);
        let json = serde_json::to_value(&card).unwrap();
        let mut forged = json.clone();
        let mut found = Vec::new();
        pointers(&json, &mut Vec::new(), &mut found);
        let pointer: String = at.get(&found).iter().map(|key| format!("/{key}")).collect();
        *forged.pointer_mut(&pointer).unwrap() = value;
        let bundle = Bundle::new(&card, &random_parts(&card, 1).unwrap(), Precision::F32).unwrap();
        let file = SafeTensors::deserialize(bundle.bytes()).unwrap();
        let forged = forged.to_string();
        let metadata = [(CARD.to_owned(), forged.clone()), (CHECKSUM.to_owned(), checksum(&forged, &file))];
        let bytes = safetensors::serialize(file.tensors(), Some(metadata.into())).unwrap();
        if let Ok(Ok(tagger)) = Bundle::read(&bytes).map(Tagger::new) {
            let photo = crate::testing::blocks(90, 70, 1);
            let points = [(30.0, 30.0), (60.0, 31.0), (44.0, 48.0), (34.0, 60.0), (57.0, 60.0)];
            let place = tagger.region_of_landmarks(&points.map(|(x, y)| crate::Point::new(x, y))).unwrap();
            match tagger.describe(&photo, place) {
                Ok(attributes) => prop_assert!(attributes.iter().all(|a| (0.0..=1.0).contains(&a.probability))),
                Err(error) => prop_assert!(error.to_string().contains("not finite"), "{error}"),
            }
        }
    }

    #[test]
    fn headers_of_noise_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), honest in any::<bool>()) {
        let mut file = bytes.clone();
        if honest {
            file.splice(0..0, (bytes.len() as u64 / 2).to_le_bytes());
        }
        prop_assert!(Bundle::read(&file).is_err());
    }
}
