//! Layer by layer: each as a net of its own with the input that it has in its net.

use anyhow::Result;
use lineament_net::{Layer, NetSpec};

use super::whole::both;
use crate::nets::{self, Recipe};
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;

/// Recipe, net, batch.
const NETS: [(&str, &str, usize); 5] = [
    ("paper", "lnet_o", 1),
    ("paper", "anet", 9),
    ("compact", "lnet_o", 1),
    ("compact", "lnet_s", 1),
    ("compact", "anet", 10),
];

/// A net of depthwise and pointwise convolutions: every layer of its blocks is measured.
const OPENED: &str = "efficientnet_lite0";

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Layer by layer",
        "Two threads. A layer includes the normalization and activation after it, which both engines fuse with it; ANets have as many patches as their recipe.",
        &["net", "layer", "input", "batch", "native", "ONNX Runtime", "ratio", "GFLOP/s"],
    );
    let mut nets = Vec::new();
    for (recipe, net, items) in NETS {
        nets.push((format!("{recipe} {net}"), Recipe::named(settings, recipe)?.net(net)?, items));
    }
    let spec = nets::spec(settings, OPENED)?;
    nets.push((OPENED.to_owned(), NetSpec { layers: opened(&spec.layers), ..spec }, 1));
    for (net, spec, items) in nets {
        for (label, spec) in pieces(&spec)? {
            let weights = nets::weights(&spec)?;
            let input = nets::batch(&spec, items)?;
            let [ours, theirs] = both(settings, &spec, &weights, &input, 2)?;
            table.row(vec![
                net.clone(),
                label,
                spec.input.to_string(),
                items.to_string(),
                ours.text(),
                theirs.text(),
                format!("{:.2}", theirs.over(&ours)),
                format!("{:.1}", nets::gflop(&spec, items)? / ours.median()),
            ]);
        }
    }
    report.table(table);
    Ok(())
}

/// Layers with those of residuals' bodies in the place of the residuals, under the names of both.
fn opened(layers: &[Layer]) -> Vec<Layer> {
    let mut all = Vec::new();
    for layer in layers {
        let Layer::Residual { name: block, body, .. } = layer else {
            all.push(layer.clone());
            continue;
        };
        all.extend(opened(body).into_iter().map(|mut layer| {
            if let Layer::Conv { name, .. } | Layer::BatchNorm { name, .. } = &mut layer {
                *name = format!("{block}_{name}");
            }
            layer
        }));
    }
    all
}

/// The pieces of a net, with what each is called.
fn pieces(spec: &NetSpec) -> Result<Vec<(String, NetSpec)>> {
    let follows = |layer: &Layer| {
        matches!(
            layer,
            Layer::BatchNorm { .. } | Layer::Relu | Layer::Relu6 | Layer::HardSwish | Layer::Prelu { .. }
        )
    };
    let mut pieces: Vec<(String, NetSpec)> = Vec::new();
    for (place, layer) in spec.layers.iter().enumerate() {
        match pieces.last_mut() {
            Some((_, piece)) if follows(layer) => piece.layers.push(layer.clone()),
            _ => {
                let before =
                    NetSpec { layers: spec.layers.iter().take(place).cloned().collect(), ..spec.clone() };
                let input = if place == 0 { spec.input } else { before.output()? };
                let label = layer.name().map_or_else(
                    || {
                        format!(
                            "{} behind {}",
                            layer.kind(),
                            pieces.last().map_or("the input", |(name, _)| name)
                        )
                    },
                    |name| format!("{name} ({})", layer.kind()),
                );
                pieces.push((label, NetSpec { input, layers: vec![layer.clone()], ..spec.clone() }));
            }
        }
    }
    Ok(pieces)
}
