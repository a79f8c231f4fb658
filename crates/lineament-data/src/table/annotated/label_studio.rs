//! What Label Studio exports as JSON: tasks with annotations, boxes in per cents, and choices for each box.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{LabelledFace, LabelledImage, of_image, path_in};
use crate::report::{FindingKind, ReadReport};

/// The tasks that somebody has done, with the newest annotation of each. A choice that is not made is a no: of the choices that the tasks list under
/// `attributes`, as our own tasks do, or else of all that were ever made.
pub(in crate::table) fn images(tasks: &[Value], report: &mut ReadReport) -> Vec<LabelledImage> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut images = Vec::new();
    for (number, task) in (1..).zip(tasks) {
        let Some((data, results)) = done(task) else {
            report.add(FindingKind::MalformedRow, format!("task {number}: nobody has annotated it"));
            continue;
        };
        let listed = data.get("attributes").and_then(Value::as_array).into_iter().flatten();
        known.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        let mut faces: BTreeMap<&str, LabelledFace> = BTreeMap::new();
        let mut order = Vec::new();
        for result in results {
            let id = result.get("id").and_then(Value::as_str).unwrap_or_default();
            let Some(value) = result.get("value") else { continue };
            if let Some(rect) = rect(result, value) {
                faces.entry(id).or_default().rect = rect;
                if !order.contains(&id) {
                    order.push(id);
                }
            }
            for choice in value.get("choices").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = choice.as_str() {
                    known.insert(name.to_owned());
                    faces.entry(id).or_default().attributes.insert(name.to_owned(), true);
                }
            }
        }
        let [person, split] = of_image(data);
        let faces = order.into_iter().filter_map(|id| faces.remove(id)).collect();
        images.push(LabelledImage { names: names(data), person, split, faces });
    }
    for face in images.iter_mut().flat_map(|image| &mut image.faces) {
        for name in &known {
            face.attributes.entry(name.clone()).or_insert(false);
        }
    }
    images
}

/// The data of a task and the results of the newest annotation that was not cancelled.
fn done(task: &Value) -> Option<(&Map<String, Value>, &Vec<Value>)> {
    let data = task.get("data")?.as_object()?;
    let annotations = task.get("annotations").or_else(|| task.get("completions"))?.as_array()?;
    let counts = |annotation: &&Value| annotation.get("was_cancelled").and_then(Value::as_bool) != Some(true);
    let when = |annotation: &Value| {
        let written = ["updated_at", "created_at"].iter().find_map(|key| annotation.get(*key));
        written.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let newest = annotations.iter().filter(counts).max_by_key(|annotation| when(annotation))?;
    Some((data, newest.get("result")?.as_array()?))
}

/// Where the image may be: what our own tasks say under `path`, and the URL that Label Studio shows.
fn names(data: &Map<String, Value>) -> Vec<String> {
    let own = data.get("path").and_then(Value::as_str).map(str::to_owned);
    let image = data.get("image").or_else(|| data.get("img")).and_then(Value::as_str).map(path_in);
    let uploaded = image.as_deref().and_then(without_prefix);
    own.into_iter().chain(image).chain(uploaded).collect()
}

/// Uploaded files get eight digits and a dash before their name.
fn without_prefix(path: &str) -> Option<String> {
    let (_, name) = path.rsplit_once('/')?;
    let (prefix, rest) = name.split_once('-')?;
    (prefix.len() == 8 && prefix.chars().all(|digit| digit.is_ascii_hexdigit())).then(|| rest.to_owned())
}

/// The box of a result in pixels. One that was turned by hand is the upright one around the same center.
fn rect(result: &Value, value: &Value) -> Option<[f64; 4]> {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_f64);
    let (width, height) = (number(result, "original_width")?, number(result, "original_height")?);
    let [x, y, across, down] = ["x", "y", "width", "height"].map(|key| number(value, key));
    let [x, y] = [x? * width / 100.0, y? * height / 100.0];
    let [across, down] = [across? * width / 100.0, down? * height / 100.0];
    let turn = number(value, "rotation").unwrap_or_default().to_radians();
    // It is turned about its upper left corner.
    let (sine, cosine) = turn.sin_cos();
    let middle = [x + (across * cosine - down * sine) / 2.0, y + (across * sine + down * cosine) / 2.0];
    let inside = across > 0.0 && down > 0.0;
    inside.then_some([middle[0] - across / 2.0, middle[1] - down / 2.0, across, down])
}
