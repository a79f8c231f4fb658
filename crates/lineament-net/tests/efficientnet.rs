//! EfficientNet-Lite0 against the PyTorch module that `training/teachers/objects` reads it from, whose answers are in `efficientnet_lite0.json`.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use lineament_net::{Arithmetic, Array, Isa, Net, NetSpec, ParameterKind, Shape, Tensor, Weights};

/// Where the file of `python -m objects` is, for the test that needs it.
const FILE: &str = "LINEAMENT_EFFICIENTNET_LITE0";

fn spec() -> NetSpec {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/nets/efficientnet_lite0.toml");
    toml::from_str(&std::fs::read_to_string(recipe).unwrap()).unwrap()
}

/// The first answers of the original.
fn expected(which: &str) -> Vec<f32> {
    let table: serde_json::Value = serde_json::from_str(include_str!("efficientnet_lite0.json")).unwrap();
    serde_json::from_value(table[which].clone()).unwrap()
}

/// A list without pattern, from -1 to 1; `objects/answers.py` computes the same.
fn value(index: u64) -> f64 {
    (index * 2_654_435_761 % 2001) as f64 / 1000.0 - 1.0
}

fn filled(spec: &NetSpec) -> Weights {
    let arrays = spec.parameters().unwrap().into_iter().zip(0u64..).map(|(parameter, number)| {
        let of = |index: u64| {
            let value = value(index + number * 1_000_003);
            let value = match parameter.kind {
                ParameterKind::Weight { fan_in } => value * (3.0 / fan_in as f64).sqrt(),
                ParameterKind::Scale | ParameterKind::Variance => 1.0 + 0.5 * value,
                _ => 0.5 * value,
            };
            value as f32
        };
        let data = (0..parameter.elements() as u64).map(of).collect();
        (parameter.name.clone(), Array { shape: parameter.shape.clone(), data })
    });
    arrays.collect()
}

/// The first of the net's answers to an input without pattern, and the largest of all.
fn answers(spec: &NetSpec, weights: &Weights, arithmetic: Arithmetic, count: usize) -> (Vec<f32>, f32) {
    let Shape { channels, height, width } = spec.input;
    let pixels = (0..spec.input.elements() as u64).map(|i| value(i) as f32).collect();
    let input = Tensor::from_vec([1, channels, height, width], pixels).unwrap();
    let net = Net::for_isa(spec, weights, arithmetic, Isa::best()).unwrap();
    let output = net.forward(&input).unwrap();
    let most = output.data().iter().fold(0.0f32, |most, v| most.max(v.abs()));
    (output.data()[..count].to_vec(), most)
}

fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_net_of_the_recipe_answers_as_the_original_does_with_the_same_weights() {
    let (spec, expected) = (spec(), expected("filled"));
    let (found, most) = answers(&spec, &filled(&spec), Arithmetic::Single, expected.len());
    let apart = apart(&found, &expected);
    assert!(apart < 1e-4 * most, "{apart} of {most}: {found:?} {expected:?}");
}

#[test]
fn the_imported_weights_answer_as_the_original_does() {
    let Some(file) = std::env::var_os(FILE) else {
        eprintln!("skipped: {FILE} names no file of `python -m objects` (training/teachers)");
        return;
    };
    let (spec, expected) = (spec(), expected("imagenet"));
    let weights = Weights::from_safetensors(&std::fs::read(file).unwrap(), "").unwrap();
    weights.check(&spec).unwrap();
    let (found, most) = answers(&spec, &weights, Arithmetic::Single, expected.len());
    let single = apart(&found, &expected);
    assert!(single < 1e-4, "{single}: {found:?} {expected:?}");
    let (found, _) = answers(&spec, &weights, Arithmetic::EightBit, expected.len());
    let bytes = apart(&found, &expected);
    eprintln!("apart from the original: {single:.1e}, in bytes {bytes:.2} of {most:.1}");
}
