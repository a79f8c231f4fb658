use super::*;
use crate::photo::Limits;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// What `tests/fixtures/make_detectors.py` wrote of a detector.
fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("tests/fixtures/detectors.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].clone()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn detector(name: &str) -> Detector {
    let family = if name == "yunet" { Family::Yunet } else { Family::Ultraface };
    let canvas = numbers(&fixture(name)["canvas"]);
    Detector { canvas: [canvas[0] as u32, canvas[1] as u32], ..Detector::of(family) }
}

/// The image that the fixture is about: all of the astronaut, or the part that has the size of the canvas.
#[cfg_attr(not(feature = "detector"), allow(dead_code))]
fn image(name: &str) -> Photo {
    let photo = Photo::open(root().join("../../examples/astronaut.png"), &Limits::default()).unwrap();
    match name {
        "yunet" => photo,
        _ => crop(&photo, Rect::new(60.0, 0.0, 320.0, 240.0), 320, 240),
    }
}

/// ONNX Runtime's outputs, nought where no face is near.
fn outputs(name: &str) -> Outputs {
    let fixture = fixture(name);
    let [width, height] = detector(name).canvas;
    let mut outputs: Vec<(String, Vec<f32>)> = Vec::new();
    if name == "yunet" {
        for stride in [8, 16, 32] {
            let cells = ((width / stride) * (height / stride)) as usize;
            for (kind, each) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
                outputs.push((format!("{kind}_{stride}"), vec![0.0; cells * each]));
            }
        }
    } else {
        let count = fixture["count"].as_u64().unwrap() as usize;
        outputs =
            vec![("scores".to_owned(), vec![0.0; 2 * count]), ("boxes".to_owned(), vec![0.0; 4 * count])];
    }
    for cell in fixture["cells"].as_array().unwrap() {
        let at = cell["cell"].as_u64().unwrap() as usize;
        let own = cell["stride"].to_string();
        for (output, values) in &mut outputs {
            let (kind, stride) = output.split_once('_').unwrap_or((output.as_str(), ""));
            if !stride.is_empty() && own != stride {
                continue;
            }
            let given = numbers(&cell[if kind == "boxes" { "box" } else { kind }]);
            values[at * given.len()..][..given.len()].copy_from_slice(&given);
        }
    }
    Outputs(outputs)
}

fn agree(name: &str, found: &[Face], within: f32) {
    let fixture = fixture(name);
    let expected = fixture["faces"].as_array().unwrap();
    assert!(!expected.is_empty());
    assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
    for (face, expected) in found.iter().zip(expected) {
        let rect = [face.rect.x, face.rect.y, face.rect.width, face.rect.height];
        let apart =
            rect.iter().zip(numbers(&expected["box"])).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < within, "{name}: {rect:?} {expected}");
        assert!((face.score - expected["score"].as_f64().unwrap() as f32).abs() < 1e-3, "{name}: {face:?}");
        let reported = face.landmarks.iter().flatten().flat_map(|point| [point.x, point.y]);
        let expected = expected.get("landmarks").map(numbers).unwrap_or_default();
        assert_eq!(face.landmarks.is_some(), !expected.is_empty());
        assert!(reported.zip(expected).all(|(a, b)| (a - b).abs() < within));
    }
}

#[test]
fn outputs_of_onnx_runtime_become_the_faces_of_opencv() {
    for name in ["yunet", "ultraface"] {
        agree(name, &detector(name).faces(&outputs(name), 1.0).unwrap(), 0.05);
    }
}

#[test]
fn faces_come_back_in_pixels_of_the_photo() {
    let detector = detector("yunet");
    let (once, twice) = (detector.faces(&outputs("yunet"), 1.0), detector.faces(&outputs("yunet"), 2.0));
    let (once, twice) = (once.unwrap()[0], twice.unwrap()[0]);
    assert!(
        (2.0 * once.rect.x - twice.rect.x).abs() < 1e-3
            && (2.0 * once.rect.height - twice.rect.height).abs() < 1e-3
    );
    let [one, two] = [once, twice].map(|face| face.landmarks.unwrap()[4]);
    assert!((2.0 * one.x - two.x).abs() < 1e-3 && (2.0 * one.y - two.y).abs() < 1e-3);
}

#[test]
fn photos_are_drawn_to_fit_with_their_shape() {
    let photo = crate::testing::blocks(640, 200, 3);
    let detector = Detector { canvas: [320, 320], ..Detector::of(Family::Yunet) };
    let (tensor, scale) = detector.shown(&photo);
    assert_eq!((tensor.shape(), scale), ([1, 3, 320, 320], 2.0));
    let small = crop(&photo, photo.rect(), 320, 100);
    for (channel, plane) in tensor.data().chunks_exact(320 * 320).enumerate() {
        let drawn = plane[..320 * 100].iter().zip(small.pixels().chunks_exact(3));
        assert!(drawn.into_iter().all(|(value, pixel)| *value == f32::from(pixel[2 - channel])));
        assert!(plane[320 * 100..].iter().all(|value| *value == 0.0));
    }
}

#[test]
fn outputs_of_something_else_and_wrong_constants_are_refused() {
    let said = detector("yunet").faces(&outputs("ultraface"), 1.0).unwrap_err().to_string();
    assert!(said.contains("cls_8"), "{said}");
    let other = Detector { canvas: [640, 480], ..Detector::of(Family::Ultraface) };
    assert!(other.faces(&outputs("ultraface"), 1.0).unwrap_err().to_string().contains("numbers"));
    let with = |edit: fn(&mut Detector)| {
        let mut detector = Detector::of(Family::Yunet);
        edit(&mut detector);
        detector.check()
    };
    assert!(with(|_| {}).is_ok());
    assert!(with(|d| d.threshold = f32::NAN).is_err());
    assert!(with(|d| d.overlap = 2.0).is_err());
    assert!(with(|d| d.canvas = [320, 300]).is_err());
    assert!(with(|d| d.canvas = [320, 1 << 20]).is_err());
}

#[cfg(not(feature = "detector"))]
#[test]
fn a_program_without_detectors_says_what_to_build() {
    let said = Detector::of(Family::Yunet).localizer(&[]).err().unwrap().to_string();
    assert!(said.contains("yunet") && said.contains("--features detector"), "{said}");
}

#[cfg(feature = "detector")]
#[test]
fn files_that_are_no_detectors_are_refused() {
    let noise: Vec<u8> = (0..4096_u32).map(|i| (i * 7919 % 251) as u8).collect();
    for bytes in [&b""[..], b"\xff\xd8\xff\xe0 a picture", &noise] {
        for family in [Family::Yunet, Family::Ultraface] {
            assert!(matches!(Detector::of(family).localizer(bytes), Err(LocateError::Detector { .. })));
        }
    }
}

/// Runs the real files where LINEAMENT_DETECTORS names their folder; `.ci/detectors` does.
#[cfg(feature = "detector")]
#[test]
fn faces_of_the_astronaut_are_those_of_opencv_and_onnx_runtime() {
    let Some(folder) = std::env::var_os("LINEAMENT_DETECTORS").map(PathBuf::from) else { return };
    for (name, file) in [("yunet", "yunet_n_dynamic.onnx"), ("ultraface", "ultraface_RFB-320.onnx")] {
        let localizer = detector(name).localizer(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        agree(name, &localizer.locate(&image(name), &Search::default()).unwrap(), 0.05);
        assert!(localizer.response_maps().is_none());
    }
}
