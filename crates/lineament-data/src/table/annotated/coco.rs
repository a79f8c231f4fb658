//! COCO's form: images, annotations with a box, and `attributes` of each, as CVAT and our own export write them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{LabelledFace, LabelledImage, answer, of_image, path_in, text};
use crate::report::{FindingKind, ReadReport};

/// The images in the order of the file. Where there is a category `face`, only its annotations count.
pub(in crate::table) fn images(whole: &Map<String, Value>, report: &mut ReadReport) -> Vec<LabelledImage> {
    let list = |key: &str| whole.get(key).and_then(Value::as_array).into_iter().flatten();
    let face = list("categories")
        .find(|category| {
            category.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("face"))
        })
        .and_then(|category| category.get("id"));
    let mut faces: BTreeMap<String, Vec<LabelledFace>> = BTreeMap::new();
    for (number, annotation) in (1..).zip(list("annotations")) {
        if face.is_some() && annotation.get("category_id") != face {
            continue;
        }
        match annotation.get("image_id").and_then(text).zip(rect(annotation)) {
            Some((image, rect)) => {
                let attributes = attributes(annotation);
                faces.entry(image).or_default().push(LabelledFace { rect, attributes });
            }
            None => report
                .add(FindingKind::MalformedRow, format!("annotation {number}: it has no image, or no box")),
        }
    }
    let mut images = Vec::new();
    for (number, image) in (1..).zip(list("images")) {
        let id = image.get("id").and_then(text);
        let (Some(id), Some(name), Some(object)) =
            (id, image.get("file_name").and_then(Value::as_str), image.as_object())
        else {
            report.add(FindingKind::MalformedRow, format!("image {number}: it has no id, or no file_name"));
            continue;
        };
        let [person, split] = of_image(object);
        let names = vec![name.to_owned(), path_in(name)];
        images.push(LabelledImage { names, person, split, faces: faces.remove(&id).unwrap_or_default() });
    }
    images
}

fn rect(annotation: &Value) -> Option<[f64; 4]> {
    let sides: Vec<f64> = annotation.get("bbox")?.as_array()?.iter().filter_map(Value::as_f64).collect();
    let rect: [f64; 4] = sides.try_into().ok()?;
    (rect[2] > 0.0 && rect[3] > 0.0).then_some(rect)
}

/// What says yes or no; numbers and texts of other kinds (CVAT writes `"rotation": 0.0`) are no attributes of a face.
fn attributes(annotation: &Value) -> BTreeMap<String, bool> {
    let all = annotation.get("attributes").and_then(Value::as_object).into_iter().flatten();
    let kept =
        all.filter(|(name, _)| !["rotation", "occluded", "track_id", "keyframe"].contains(&name.as_str()));
    kept.filter_map(|(name, value)| Some((name.clone(), answer(value)?))).collect()
}
