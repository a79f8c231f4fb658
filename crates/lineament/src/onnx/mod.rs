//! A model for other runtimes: its nets and its attribute half as ONNX graphs.

mod description;
mod whole;

pub use description::description_file;
pub use whole::{WHOLE_OPSET, whole_file};

use lineament_net::onnx::{Dim, Form, Graph, OnnxError, Setting, Value, export, export_interweaved};
use lineament_net::{Shape, Weights};

use crate::attributes::AnetPatches;
use crate::bundle::Bundle;
use crate::locate::Lnets;

/// What metadata of `attributes.onnx` and `heads.onnx` holds the attributes' names under, joined by commas.
pub const NAMES: &str = "attributes";

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxFile {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// The files of a model's export, opset [`lineament_net::onnx::OPSET`], in single precision:
///
/// | file | input | outputs |
/// |---|---|---|
/// | `lnet_o.onnx`, `lnet_s.onnx` | `pixels` `[batch, 3, height, width]` | `responses` `[batch, channels, map_height, map_width]` |
/// | `anet.onnx` | `patches` `[batch, 3, size, size]` | `vectors` `[batch, features]` |
/// | `anet_interweaved.onnx` | `region` `[1, 3, region, region]` | `vectors` `[patches, features]`, mirror images aside |
/// | `attributes.onnx` | `patches` `[batch, 3, size, size]` of one face | `scores` `[attributes]`, `probabilities` `[attributes]` |
/// | `heads.onnx` | `vectors` `[patches, features]` of one face | `scores` `[attributes]`, `probabilities` `[attributes]` |
///
/// The same bundle gives the same bytes.
///
/// # Errors
/// A model of another kind than LNets and ANet, or a net too large for a file.
pub fn onnx_files(bundle: &Bundle) -> Result<Vec<OnnxFile>, ExportError> {
    let model = Cascade::of(bundle).ok_or(ExportError::Kind)?;
    let (lnets, anet) = (model.lnets, model.anet);
    let file = |name, bytes| OnnxFile { name, bytes };
    Ok(vec![
        file("lnet_o.onnx", export(&lnets.lnet_o, model.weights[0], Form::Maps)?),
        file("lnet_s.onnx", export(&lnets.lnet_s, model.weights[1], Form::Maps)?),
        file("anet.onnx", export(&anet.anet, model.weights[2], Form::Vectors)?),
        file("anet_interweaved.onnx", interweaved(&model)?),
        file("attributes.onnx", attributes(&model)?),
        file("heads.onnx", heads(bundle)?),
    ])
}

/// Why a model cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A model of another kind.
    #[error(
        "only models of LNets and ANet can be exported: this one locates or describes faces in another way"
    )]
    Kind,
    /// LNets that work in another way.
    #[error(
        "only models whose LNets slide over a pyramid fit into one graph: this one localizes in another way, so export its parts, without \
         --whole"
    )]
    NoPyramid,
    /// An LNet whose weights do not belong to it.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// A net.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A card that no JSON can hold.
    #[error("the model's card cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A bundle of LNets and ANet.
struct Cascade<'a> {
    bundle: &'a Bundle,
    lnets: &'a Lnets,
    anet: &'a AnetPatches,
    /// Of LNet_o, LNet_s and ANet.
    weights: [&'a Weights; 3],
}

impl<'a> Cascade<'a> {
    fn of(bundle: &'a Bundle) -> Option<Self> {
        let (card, parts) = (bundle.card(), bundle.parts());
        let weights = [parts.net("lnet_o")?, parts.net("lnet_s")?, parts.net("anet")?];
        Some(Self { bundle, lnets: card.lnets()?, anet: card.anet()?, weights })
    }
}

/// ANet on a face region, in one pass over what its patches share.
fn interweaved(model: &Cascade<'_>) -> Result<Vec<u8>, OnnxError> {
    let patches = &model.anet.patches;
    let side = patches.region as usize;
    let offsets: Vec<[usize; 2]> =
        patches.offsets.iter().map(|offset| offset.map(|start| start as usize)).collect();
    export_interweaved(&model.anet.anet, model.weights[2], Shape::new(3, side, side), &offsets)
}

/// ANet on the patches of one face, the mean of its vectors, the SVMs and the sigmoids: what
/// [`crate::Tagger::describe`] does behind the drawing of the region.
fn attributes(model: &Cascade<'_>) -> Result<Vec<u8>, OnnxError> {
    let mut graph = Graph::new("attributes");
    let vectors = graph.net(&model.anet.anet, model.weights[2], Form::Vectors)?;
    answer(graph, &vectors, model.bundle)
}

/// The same from ANet's vectors on.
fn heads(bundle: &Bundle) -> Result<Vec<u8>, OnnxError> {
    let mut graph = Graph::new("heads");
    let features = bundle.parts().svms.features();
    let vectors = graph.input("vectors", &[Dim::Free("patches"), Dim::Fixed(features)])?;
    answer(graph, &vectors, bundle)
}

/// From the vectors of one face's patches, `[patches, features]`, to scores and probabilities.
fn answer(mut graph: Graph, vectors: &Value, bundle: &Bundle) -> Result<Vec<u8>, OnnxError> {
    let (card, svms) = (bundle.card(), &bundle.parts().svms);
    let (count, features) = (svms.attributes(), svms.features());
    // Names with a slash: no layer of ANet can have them.
    let over_patches = [("axes", Setting::Ints(&[0])), ("keepdims", Setting::Int(0))];
    let mean = graph.node("head/mean", "ReduceMean", &[vectors], &over_patches)?;
    let weight = graph.floats("head/svm.weight", &[count, features], svms.weight())?;
    let bias = graph.floats("head/svm.bias", &[count], svms.bias())?;
    let products = graph.node("head/svm", "MatMul", &[&weight, &mean], &[])?;
    let scores = graph.node("head/scores", "Add", &[&products, &bias], &[])?;
    graph.output("scores", &scores, &[Dim::Fixed(count)])?;

    // Platt's sigmoid is 1 / (1 + exp(a * score + b)), ONNX's 1 / (1 + exp(-x)).
    let platt = || card.attributes.iter().map(|attribute| attribute.platt);
    let slopes: Vec<f32> = platt().map(|platt| -platt.a).collect();
    let offsets: Vec<f32> = platt().map(|platt| -platt.b).collect();
    let slopes = graph.floats("head/platt.slope", &[slopes.len()], &slopes)?;
    let offsets = graph.floats("head/platt.offset", &[offsets.len()], &offsets)?;
    let scaled = graph.node("head/platt.scaled", "Mul", &[&scores, &slopes], &[])?;
    let logits = graph.node("head/platt.logits", "Add", &[&scaled, &offsets], &[])?;
    let probabilities = graph.node("head/platt", "Sigmoid", &[&logits], &[])?;
    graph.output("probabilities", &probabilities, &[Dim::Fixed(count)])?;

    graph.metadata(NAMES, &card.names().join(","));
    graph.metadata("model", &format!("{} {}", card.name, card.version));
    graph.metadata("sha256", &bundle.hash());
    Ok(graph.into_model())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::tiny_bundle;

    fn text(files: &[OnnxFile], name: &str) -> String {
        let file = files.iter().find(|file| file.name == name).unwrap();
        String::from_utf8_lossy(&file.bytes).into_owned()
    }

    #[test]
    fn every_file_is_written_and_the_same_every_time() {
        let bundle = tiny_bundle(1).unwrap();
        let files = onnx_files(&bundle).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        let nets = ["lnet_o.onnx", "lnet_s.onnx", "anet.onnx", "anet_interweaved.onnx"];
        assert_eq!(names, [&nets[..], &["attributes.onnx", "heads.onnx"]].concat());
        assert_eq!(files, onnx_files(&bundle).unwrap());
        for (name, input) in [("attributes.onnx", "patches"), ("heads.onnx", "vectors")] {
            let head = text(&files, name);
            for said in
                [input, "scores", "probabilities", "head/svm.weight", "Smiling,Straight_Hair", &bundle.hash()]
            {
                assert!(head.contains(said), "{said} in {name}");
            }
        }
        assert!(!text(&files, "anet.onnx").contains("head/"));
    }
}
