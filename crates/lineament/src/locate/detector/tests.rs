use super::view::View;
use super::*;
use crate::crop::crop;
use crate::geometry::Rect;
use crate::locate::{Face, Search, SmallestFace};
use crate::photo::{Limits, Photo};
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
    Detector { canvas: Some(canvas(name)), ..Detector::of(family) }
}

fn canvas(name: &str) -> [u32; 2] {
    let canvas = numbers(&fixture(name)["canvas"]);
    [canvas[0] as u32, canvas[1] as u32]
}

/// The faces of a view that is so many times larger than the fixture's.
fn faces(detector: &Detector, outputs: &Outputs, scale: f32) -> Result<Vec<Face>, LocateError> {
    detector.faces(outputs, View { canvas: detector.canvas.unwrap(), scale })
}

/// The image that the fixture is about: all of the astronaut, or the part that has the size of the canvas.
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
    let [width, height] = canvas(name);
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
        agree(name, &faces(&detector(name), &outputs(name), 1.0).unwrap(), 0.05);
    }
}

#[test]
fn faces_come_back_in_pixels_of_the_photo() {
    let detector = detector("yunet");
    let (once, twice) = [1.0, 2.0].map(|scale| faces(&detector, &outputs("yunet"), scale)).into();
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
    let detector = Detector { canvas: Some([320, 320]), ..Detector::of(Family::Yunet) };
    let views = detector.views(&photo, &Search::default());
    assert_eq!(views, [View { canvas: [320, 320], scale: 2.0 }]);
    let drawn = views[0].drawn(&photo, Family::Yunet);
    let small = crop(&photo, photo.rect(), 320, 100);
    for (channel, plane) in drawn.chunks_exact(320 * 320).enumerate() {
        let drawn = plane[..320 * 100].iter().zip(small.pixels().chunks_exact(3));
        assert!(drawn.into_iter().all(|(value, pixel)| *value == f32::from(pixel[2 - channel])));
        assert!(plane[320 * 100..].iter().all(|value| *value == 0.0));
    }
}

#[test]
fn views_are_as_large_as_the_smallest_face_asks_and_as_small_as_the_largest() {
    let detector = Detector::of(Family::Yunet);
    let search = |pixels| Search { smallest_face: SmallestFace::pixels(pixels).ok(), ..Search::default() };
    for (width, height, smallest) in
        [(1, 1, 16.0), (1, 9000, 8.0), (640, 480, 16.0), (1024, 300, 25.0), (8000, 6000, 8.0)]
    {
        let photo = Photo::filled(width, height, [0; 3]);
        let views = detector.views(&photo, &search(smallest));
        let longest = width.max(height) as f32;
        for view in &views {
            assert!(view.canvas.iter().all(|side| side % 32 == 0 && *side <= 2048 && *side > 0), "{view:?}");
            // All of the photo is on it.
            assert!((width as f32 / view.scale).ceil() <= view.canvas[0] as f32 + 1e-3, "{view:?}");
            assert!((height as f32 / view.scale).ceil() <= view.canvas[1] as f32 + 1e-3, "{view:?}");
        }
        let (first, last) = (views[0], views[views.len() - 1]);
        assert!(first.scale <= smallest / 20.0 + 1e-3 || first.scale == longest / 2048.0, "{first:?}");
        assert!(longest / last.scale <= 320.5, "{last:?}");
        assert!(
            views
                .windows(2)
                .all(|pair| pair[1].scale > pair[0].scale && pair[1].scale <= 4.0 * pair[0].scale)
        );
    }
}

#[test]
fn outputs_of_something_else_and_wrong_constants_are_refused() {
    let said = faces(&detector("yunet"), &outputs("ultraface"), 1.0).unwrap_err().to_string();
    assert!(said.contains("cls_8"), "{said}");
    let other = Detector { canvas: Some([640, 480]), ..Detector::of(Family::Ultraface) };
    assert!(faces(&other, &outputs("ultraface"), 1.0).unwrap_err().to_string().contains("numbers"));
    let with = |edit: fn(&mut Detector)| {
        let mut detector = Detector::of(Family::Yunet);
        edit(&mut detector);
        detector.check()
    };
    assert!(with(|_| {}).is_ok());
    assert!(with(|d| d.threshold = f32::NAN).is_err());
    assert!(with(|d| d.overlap = 2.0).is_err());
    assert!(with(|d| d.canvas = Some([320, 300])).is_err());
    assert!(with(|d| d.canvas = Some([320, 1 << 20])).is_err());
}

#[test]
fn files_that_are_no_detectors_are_refused() {
    let noise: Vec<u8> = (0..4096_u32).map(|i| (i * 7919 % 251) as u8).collect();
    for bytes in [&b""[..], b"\xff\xd8\xff\xe0 a picture", &noise] {
        assert!(matches!(DetectorFile::read(bytes.to_vec()), Err(LocateError::Detector { .. })));
        for family in Family::ALL {
            assert!(matches!(Detector::of(family).localizer(bytes), Err(LocateError::Detector { .. })));
        }
    }
    let gone = DetectorFile::open("gone.onnx").unwrap_err().to_string();
    assert!(gone.contains("gone.onnx"), "{gone}");
}

/// A net with YuNet's outputs, each a mean of some pixels of a cell, by the graph writer of our own nets.
fn net(names: &[&str], channels: impl Fn(&str) -> usize, weight: f32) -> Vec<u8> {
    use lineament_net::onnx::{Dim, Graph, Setting};
    let mut graph = Graph::new("detector");
    let sides = [Dim::Fixed(1), Dim::Fixed(3), Dim::Free("height"), Dim::Free("width")];
    let input = graph.input("input", &sides).unwrap();
    let shape = graph.ints("shape", &[1, 0, -1]).unwrap();
    for name in names {
        let channels = channels(name);
        let stride = name.rsplit('_').next().unwrap().parse::<usize>().unwrap_or(8);
        let filters = vec![weight; channels * 3 * stride * stride];
        let filters = graph.floats(&format!("{name}.w"), &[channels, 3, stride, stride], &filters).unwrap();
        let step = i64::try_from(stride).unwrap();
        let settings =
            [("strides", Setting::Ints(&[step, step])), ("kernel_shape", Setting::Ints(&[step, step]))];
        let map = graph.node(&format!("{name}.conv"), "Conv", &[&input, &filters], &settings).unwrap();
        let flat = graph.node(&format!("{name}.flat"), "Reshape", &[&map, &shape], &[]).unwrap();
        let order = [("perm", Setting::Ints(&[0, 2, 1]))];
        let last = graph.node(&format!("{name}.last"), "Transpose", &[&flat], &order).unwrap();
        graph.output(name, &last, &[Dim::Fixed(1), Dim::Free("cells"), Dim::Fixed(channels)]).unwrap();
    }
    graph.into_model()
}

fn yunet_channels(name: &str) -> usize {
    match name.split('_').next() {
        Some("bbox") => 4,
        Some("kps") => 10,
        _ => 1,
    }
}

#[test]
fn a_net_with_the_outputs_of_a_family_is_of_it() {
    let file = DetectorFile::read(net(&yunet::OUTPUTS, yunet_channels, 1e-4)).unwrap();
    assert_eq!(file.detector(), &Detector::of(Family::Yunet));
    let (detector, onnx) = file.into_parts();
    let localizer = detector.localizer(&onnx).unwrap();
    assert!(localizer.response_maps().is_none());
    let photo = Photo::filled(100, 60, [200; 3]);
    let all = localizer.locate(&photo, &Search::default()).unwrap();
    assert!(all.iter().all(|face| face.rect.is_finite() && face.landmarks.is_some()));
    let one = localizer.locate(&photo, &Search { max_faces: Some(1), ..Search::default() }).unwrap();
    assert_eq!((one.len(), one.len() + one.left_out), (all.len().min(1), all.len()));
}

#[test]
fn other_outputs_sizes_and_numbers_are_refused() {
    let refused = |onnx: Vec<u8>, said: &str| {
        let error = DetectorFile::read(onnx).unwrap_err().to_string();
        assert!(error.starts_with("the detector cannot be used: ") && error.contains(said), "{error}");
    };
    refused(net(&yunet::OUTPUTS[1..], yunet_channels, 0.1), "none of the known detectors");
    refused(net(&["scores"], |_| 2, 0.1), "none of the known detectors");
    refused(net(&yunet::OUTPUTS, |_| 1, 0.1), "numbers, not");
    refused(net(&["scores", "boxes"], |_| 2, 0.1), "numbers, not");
    refused(net(&yunet::OUTPUTS, yunet_channels, f32::NAN), "not all numbers");
    refused(net(&yunet::OUTPUTS, yunet_channels, f32::INFINITY), "not all numbers");
    let whole = net(&yunet::OUTPUTS, yunet_channels, 0.1);
    for length in (0..whole.len()).step_by(97) {
        assert!(DetectorFile::read(whole[..length].to_vec()).is_err(), "{length}");
    }
    refused(vec![0; Detector::MAX_BYTES + 1], "larger than");
}

#[cfg(feature = "yunet")]
#[test]
fn yunet_is_compiled_in() {
    let file = DetectorFile::named(Path::new("yunet")).unwrap();
    assert_eq!(file.detector(), &Detector::of(Family::Yunet));
    let (_, onnx) = file.into_parts();
    agree(
        "yunet",
        &detector("yunet").localizer(&onnx).unwrap().locate(&image("yunet"), &Search::default()).unwrap(),
        0.05,
    );
}

#[cfg(not(feature = "yunet"))]
#[test]
fn a_program_without_yunet_says_what_to_build() {
    let said = DetectorFile::named(Path::new("yunet")).unwrap_err().to_string();
    assert!(said.contains("feature `yunet`"), "{said}");
}

/// Runs the real files where LINEAMENT_DETECTORS names their folder; `.ci/detectors` does.
#[test]
fn faces_of_the_astronaut_are_those_of_opencv_and_onnx_runtime() {
    let Some(folder) = std::env::var_os("LINEAMENT_DETECTORS").map(PathBuf::from) else { return };
    for (name, file) in [("yunet", "yunet_n_dynamic.onnx"), ("ultraface", "ultraface_RFB-320.onnx")] {
        let (_, onnx) = DetectorFile::open(folder.join(file)).unwrap().into_parts();
        let localizer = detector(name).localizer(&onnx).unwrap();
        agree(name, &localizer.locate(&image(name), &Search::default()).unwrap(), 0.05);
    }
}

/// Of a list of CelebA: a name and numbers in each row.
fn list(path: &Path, head: usize) -> Vec<(String, Vec<f32>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.map(|word| word.parse().unwrap()).collect()))
    };
    text.lines().skip(head).filter_map(row).collect()
}

/// Needs CelebA and both files:
/// `LINEAMENT_CELEBA=celeba LINEAMENT_DETECTORS=models cargo test --release -p lineament --lib -- --ignored faces_in_boxes`.
#[test]
#[ignore = "needs CelebA and the detectors (set LINEAMENT_CELEBA and LINEAMENT_DETECTORS)"]
fn the_faces_in_boxes_are_the_fitted_ones() {
    use rayon::prelude::*;
    let [celeba, models] = ["LINEAMENT_CELEBA", "LINEAMENT_DETECTORS"]
        .map(|name| PathBuf::from(std::env::var_os(name).unwrap()));
    let parts: std::collections::HashMap<_, _> =
        list(&celeba.join("Eval/list_eval_partition.txt"), 0).into_iter().collect();
    let learned = |name: &str| parts.get(name).is_some_and(|part| part[0] < 2.0);
    let marked = list(&celeba.join("Anno/list_landmarks_celeba.txt"), 2);
    let rule = crate::attributes::Region { span: 1.0, drop: 0.0, ..crate::attributes::Region::default() };
    for (family, file) in
        [(Family::Yunet, "yunet_n_dynamic.onnx"), (Family::Ultraface, "ultraface_RFB-320.onnx")]
    {
        let (detector, onnx) = DetectorFile::open(models.join(file)).unwrap().into_parts();
        let localizer = Detector { threshold: Detector::LEAST_SCORE, ..detector }.localizer(&onnx).unwrap();
        let in_box = |(name, points): &(String, Vec<f32>)| {
            let path = celeba.join("Img/img_celeba").join(name);
            if !learned(name) || !path.exists() {
                return None;
            }
            let photo = Photo::open(path, &Limits::default()).unwrap();
            let points: [_; 5] = std::array::from_fn(|i| crate::Point::new(points[2 * i], points[2 * i + 1]));
            // The square of side d about the midpoint of the eyes.
            let square = rule.of_landmarks(&points).ok()?;
            let rect = localizer.locate(&photo, &Search::default()).unwrap().first()?.rect;
            let size = square.height / rect.height;
            rect.contains(points[2]).then(|| (size, (rect.centre().y - square.centre().y) / rect.height))
        };
        let (mut sizes, mut eyes): (Vec<f32>, Vec<f32>) = marked.par_iter().filter_map(in_box).unzip();
        let middle = |values: &mut Vec<f32>| {
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        };
        let (size, eyes) = (middle(&mut sizes), middle(&mut eyes));
        println!("{}: {} photos, size {size:.4}, eyes {eyes:.4}", family.name(), sizes.len());
        let expected = family.face_in_box();
        assert!((size - expected.size).abs() < 3e-3 && (eyes - expected.eyes).abs() < 3e-3, "{expected:?}");
    }
}
