use super::*;
use crate::error::Error;
use crate::geometry::Rect;
use crate::photo::PhotoError;
use crate::prediction::Attribute;
use crate::testing::{blocks, tiny_bundle, tiny_card};

fn tagger() -> Tagger {
    Tagger::new(tiny_bundle(1).unwrap()).unwrap()
}

fn region(rect: Rect) -> FaceRegion {
    rect.into()
}

#[test]
fn a_tagger_goes_between_threads() {
    fn goes<T: Send + Sync>() {}
    goes::<Tagger>();
    goes::<Error>();
}

#[test]
fn every_number_of_threads_gives_the_same_answers() {
    let photos: Vec<Photo> = (0..9).map(|seed| blocks(200 + 17 * seed as u32, 160, seed)).collect();
    let answers = |builder: TaggerBuilder| -> Vec<Prediction> {
        let tagger = builder.bundle(tiny_bundle(1).unwrap()).build().unwrap();
        tagger.predict_batch(&photos).into_iter().map(Result::unwrap).collect()
    };
    let alone = answers(Tagger::builder().threads(1));
    let faces = || alone.iter().flat_map(|prediction| &prediction.faces);
    assert!(faces().next().is_some(), "the tiny model finds something to describe");
    assert!(faces().all(|face| face.attributes.len() == 40));
    assert_eq!(alone, answers(Tagger::builder().threads(2)));
    assert_eq!(alone, answers(Tagger::builder().threads(7)));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(alone, pool.install(|| answers(Tagger::builder())));
}

#[test]
fn work_stays_on_the_threads_of_the_builder() {
    let tagger = |builder: TaggerBuilder| builder.bundle(tiny_bundle(1).unwrap()).build().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let threads = |tagger: Tagger| {
        let counted = |_: &Photo| Ok(rayon::current_num_threads());
        pool.install(|| tagger.read(Photo::filled(1, 1, [0; 3]), counted).unwrap())
    };
    assert_eq!(threads(tagger(Tagger::builder().threads(2))), 2);
    assert_eq!(threads(tagger(Tagger::builder())), 3);
    let other = tagger(Tagger::builder().threads(2)).with_threads(Threads::of_caller());
    assert_eq!(threads(other), 3);
}

#[test]
fn one_bad_image_leaves_the_others() {
    let photo = blocks(120, 90, 3);
    let images =
        [Source::from(&photo), Source::from(b"hello"), Source::from("gone.jpg"), Source::from(&photo)];
    let answers = tagger().predict_batch(images);
    let whole = tagger().predict(&photo).unwrap();
    assert_eq!(answers[0].as_ref().unwrap(), &whole);
    assert!(matches!(answers[1], Err(Error::Photo(PhotoError::UnknownFormat { .. }))));
    assert!(answers[2].as_ref().unwrap_err().to_string().starts_with("gone.jpg: "));
    assert_eq!(answers[3].as_ref().unwrap(), &whole);
}

#[test]
fn a_prediction_knows_its_path_and_the_limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    blocks(60, 50, 3).save_png(&path).unwrap();
    let prediction = tagger().predict(&path).unwrap();
    assert_eq!((prediction.path, prediction.width, prediction.height), (Some(path.clone()), 60, 50));
    let limits = Limits { max_pixels: 2999, ..Limits::default() };
    let strict = Tagger::builder().bundle(tiny_bundle(1).unwrap()).limits(limits).build().unwrap();
    assert!(strict.predict(&path).unwrap_err().to_string().contains("too large"));
    assert!(strict.locate(&path).is_err());
}

#[test]
fn a_face_is_described_in_the_region_of_its_box() {
    let (tagger, photo) = (tagger(), blocks(240, 200, 3));
    let located = tagger.locate(&photo).unwrap();
    let faces = tagger.predict(&photo).unwrap().faces;
    assert_eq!(
        located.iter().map(|face| face.rect).collect::<Vec<_>>(),
        faces.iter().map(|face| face.rect).collect::<Vec<_>>()
    );
    for (face, record) in located.iter().zip(&faces) {
        let region = tagger.region_of(face).unwrap();
        assert_eq!(tagger.describe(&photo, region).unwrap(), record.attributes);
        assert_eq!(tagger.describe(&photo, record).unwrap(), record.attributes);
        assert_eq!(tagger.embed(&photo, face).unwrap(), tagger.embed(&photo, region).unwrap());
    }
}

#[test]
fn only_the_selected_attributes_are_answered_in_their_order() {
    let (photo, at) = (blocks(80, 80, 2), region(Rect::new(10.0, 10.0, 60.0, 60.0)));
    let all = tagger().describe(&photo, at).unwrap();
    let names = ["Smiling", "Male", "Smiling"];
    let two = Tagger::builder().bundle(tiny_bundle(1).unwrap()).attributes(names).build().unwrap();
    let selected: Vec<&str> = two.selected_attributes().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(selected, ["Smiling", "Male"]);
    let read: Vec<Attribute> = two.describe(&photo, at).unwrap().into_iter().collect();
    assert_eq!(read, [all["Smiling"].clone(), all["Male"].clone()]);
    assert_eq!(two.scores(&photo, at).unwrap().len(), 40);
    let none = Selection { attributes: Some(Vec::new()), ..Selection::default() };
    let faces = two.with(&none).unwrap().predict(blocks(240, 200, 3)).unwrap().faces;
    assert!(!faces.is_empty() && faces.iter().all(|face| face.attributes.is_empty()));
    let refused =
        Tagger::builder().bundle(tiny_bundle(1).unwrap()).attributes(["Smilng"]).build().unwrap_err();
    assert!(refused.to_string().contains("did you mean \"Smiling\"?"));
}

#[test]
fn operating_point_and_threshold_decide_what_is_present() {
    let (photo, at) = (blocks(80, 80, 2), region(Rect::new(10.0, 10.0, 60.0, 60.0)));
    let (card, all) = (tiny_card(), tagger());
    let scores = all.scores(&photo, at).unwrap();
    for point in [OperatingPoint::Accuracy, OperatingPoint::Balanced] {
        let tagger = all.with(&Selection { operating_point: Some(point), ..Selection::default() }).unwrap();
        for ((card, &score), read) in
            card.attributes.iter().zip(&scores).zip(tagger.describe(&photo, at).unwrap())
        {
            assert_eq!(&*read.name, card.name);
            assert_eq!(read.present, score > card.thresholds.at(point));
            assert_eq!(read.probability, card.platt.probability(score));
        }
    }
    let strict = all.with(&Selection { threshold: Some(0.7), ..Selection::default() }).unwrap();
    for (read, usual) in strict.describe(&photo, at).unwrap().iter().zip(&all.describe(&photo, at).unwrap()) {
        assert_eq!((read.present, read.probability), (usual.probability >= 0.7, usual.probability));
    }
}

#[test]
fn a_model_of_whole_images_finds_and_sees_all_of_them() {
    let mut card = tiny_card();
    card.lnets_mut().unwrap().method = crate::locate::LnetMethod::Whole;
    let parts = crate::testing::random_parts(&card, 1).unwrap();
    let bundle = Bundle::new(&card, &parts, lineament_net::Precision::F32).unwrap();
    let tagger = Tagger::new(Bundle::read(bundle.bytes()).unwrap()).unwrap();
    for photo in [blocks(90, 60, 2), blocks(50, 200, 2), Photo::filled(64, 64, [9; 3])] {
        let faces = tagger.predict(&photo).unwrap().faces;
        assert_eq!(faces.len(), 1);
        assert_eq!((faces[0].rect, faces[0].attributes.len()), (photo.rect(), 40));
        let face = Face::new(photo.rect(), 1.0);
        let region = tagger.region_of(&face).unwrap().region().unwrap();
        let side = photo.width().max(photo.height());
        assert_eq!((region.width, region.height), (side as f32, side as f32));
        assert_eq!(region.centre(), photo.rect().centre());
        let map = tagger.response_map(&photo).unwrap();
        assert!(map.range().1.is_finite());
    }
}

#[test]
fn a_turned_face_is_described_upright() {
    let (tagger, photo) = (tagger(), blocks(240, 240, 3));
    let face = Face::new(Rect::new(100.0, 90.0, 40.0, 50.0), 1.0);
    let upright = tagger.scores(&photo, face).unwrap();
    // The photo turned clockwise by a quarter, with the face in it.
    let mut turned = Photo::filled(240, 240, [0; 3]);
    for (at, pixel) in turned.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (at as u32 % 240, at as u32 / 240);
        *pixel = photo.pixel(y, 239 - x).unwrap();
    }
    let centre = Point::new(240.0 - face.rect.centre().y, face.rect.centre().x);
    let rect = Rect::about(centre, face.rect.width, face.rect.height);
    let known = tagger.scores(&turned, Face { roll: Some(90.0), ..Face::new(rect, 1.0) }).unwrap();
    let apart = |scores: &[f32]| scores.iter().zip(&upright).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart(&known) < 0.02, "{}", apart(&known));
    let unknown = tagger.scores(&turned, Face::new(rect, 1.0)).unwrap();
    assert!(apart(&unknown) > 5.0 * apart(&known), "{} {}", apart(&unknown), apart(&known));
}

#[test]
fn regions_without_an_inside_are_refused() {
    let (tagger, photo) = (tagger(), blocks(40, 40, 1));
    for rect in [
        Rect::new(0.0, 0.0, 0.0, 5.0),
        Rect::new(0.0, 0.0, 5.0, -5.0),
        Rect::new(f32::NAN, 0.0, 5.0, 5.0),
        Rect::new(0.0, 0.0, f32::INFINITY, 5.0),
    ] {
        assert!(matches!(tagger.describe(&photo, region(rect)), Err(Error::Describe(_))), "{rect:?}");
    }
    // Far outside the photo its edge is all there is to see.
    assert!(tagger.describe(&photo, region(Rect::new(-900.0, 5000.0, 50.0, 50.0))).is_ok());
    let flat = Face::new(Rect::new(3.0, 3.0, 0.0, 0.0), 1.0);
    assert!(tagger.region_of(&flat).is_err());
}
