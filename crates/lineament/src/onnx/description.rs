//! What stands beside the whole graph: all that it takes to read its outputs, where a runtime cannot read its metadata.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ExportError, OnnxFile};
use crate::attributes::AttributeCard;
use crate::bundle::Bundle;
use crate::locate::LnetMethod;

/// The part of a model's card that reads the outputs of `faces.onnx`.
#[derive(Serialize)]
struct Description<'a> {
    name: &'a str,
    version: &'a str,
    /// SHA-256 of the bundle.
    sha256: String,
    licence: &'a str,
    /// The model's own least score of a face.
    threshold: f32,
    /// In the order of the graph's columns, with thresholds of their scores.
    attributes: &'a [AttributeCard],
    scores: &'a BTreeMap<String, f64>,
}

/// `model.json` beside [`super::whole_file`]: name, version and hash of the model, `threshold`, and `attributes` as the card has them,
/// each with `thresholds` of its score for both operating points.
///
/// # Errors
/// A model that is not one of LNets on a pyramid.
pub fn description_file(bundle: &Bundle) -> Result<OnnxFile, ExportError> {
    let card = bundle.card();
    let lnets = card.lnets().ok_or(ExportError::Kind)?;
    let LnetMethod::Pyramid(parameters) = &lnets.method else { return Err(ExportError::NoPyramid) };
    let description = Description {
        name: &card.name,
        version: &card.version,
        sha256: bundle.hash(),
        licence: &card.licence,
        threshold: parameters.threshold,
        attributes: &card.attributes,
        scores: &card.scores,
    };
    let mut bytes = serde_json::to_vec_pretty(&description)?;
    bytes.push(b'\n');
    Ok(OnnxFile { name: "model.json", bytes })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::tiny_bundle;

    #[test]
    fn models_that_localize_in_another_way_are_refused() {
        let refused = description_file(&tiny_bundle(1).unwrap()).unwrap_err();
        assert!(matches!(refused, ExportError::NoPyramid), "{refused}");
    }

    #[cfg(feature = "default-model")]
    #[test]
    fn outputs_of_the_graph_can_be_read_with_it() {
        let bundle = Bundle::embedded().unwrap();
        let file = description_file(&bundle).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&file.bytes).unwrap();
        assert_eq!(read["sha256"], bundle.hash());
        assert!(read["threshold"].is_number());
        let attributes = read["attributes"].as_array().unwrap();
        let names: Vec<&str> = attributes.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, bundle.card().names());
        for one in attributes {
            assert!(
                one["thresholds"]["accuracy"].is_number() && one["thresholds"]["balanced"].is_number(),
                "{one}"
            );
            assert!(one["platt"]["a"].is_number() && one["platt"]["b"].is_number(), "{one}");
        }
    }
}
