//! Eight-bit integers: what ONNX Runtime gains by them, beside our full precision, and what they cost in accuracy.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use lineament::{Bundle, Engine};
use serde::Deserialize;

use crate::nets;
use crate::page::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, in_turns};

/// A line of `int8.py`.
#[derive(Deserialize)]
struct Line {
    net: String,
    shape: String,
    apart: f64,
    full: f64,
    eight: f64,
}

/// A line of `int8_accuracy.py`.
#[derive(Deserialize)]
struct Cost {
    pictures: usize,
    precision: String,
    point: String,
    accuracy: f64,
    balanced: f64,
}

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    if settings.library.is_none() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let bundle = Bundle::embedded()?;
    for file in lineament::onnx::onnx_files(&bundle)? {
        std::fs::write(folder.path().join(file.name), file.bytes)?;
    }
    let rounds = settings.pick("5", "40");
    let Some(lines) = printed(settings, "int8.py", &[folder.path(), Path::new("1"), Path::new(rounds)])?
    else {
        return Ok(());
    };
    let mut table = Table::new(
        "Eight-bit integers",
        "One thread. ONNX Runtime's static quantisation (QDQ, weights a channel each) of the compact model's graphs against the same graphs in f32, in \
         turns; ours, in f32, just after. `apart` is the mean difference of the outputs over their mean size, calibrated on noise.",
        &["net", "input", "ONNX Runtime, f32", "ONNX Runtime, int8", "gain", "native, f32", "apart"],
    );
    let (nets, parts) = (bundle.card().nets(), bundle.parts());
    for line in lines.lines() {
        let Line { net, shape, apart, full, eight } =
            serde_json::from_str(line).context("a line of int8.py")?;
        let spec = nets.iter().find(|(name, ..)| *name == net).map(|(_, spec, _)| *spec);
        let (spec, weights) = spec.zip(parts.net(&net)).with_context(|| format!("no net {net}"))?;
        let sides = shape.split('x').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        let input = nets::noise(sides.try_into().ok().context("four sides")?)?;
        let runner = Engine::Native.runner(spec, weights)?;
        let pool = settings.pool(1, &Engine::Native);
        let mut alone = vec![Rival::on(pool, || Ok(runner.forward(&input).map(drop)?))];
        let ours = in_turns(settings, &mut alone)?.first().map_or(f64::NAN, |times| 1e3 * times.median());
        table.row(vec![
            net,
            shape,
            format!("{full:.3}"),
            format!("{eight:.3}"),
            format!("{:.2}", full / eight),
            format!("{ours:.3}"),
            format!("{apart:.3}"),
        ]);
    }
    report.table(table);

    let faces = settings.root.join("../shared/data/celeba");
    if settings.arguments.quick || !faces.is_dir() {
        return Ok(());
    }
    let card = folder.path().join("card.json");
    std::fs::write(card, serde_json::to_vec(bundle.card())?)?;
    if let Some(lines) = printed(settings, "int8_accuracy.py", &[folder.path(), &faces])? {
        report.table(cost(&lines)?);
    }
    Ok(())
}

fn cost(lines: &str) -> Result<Table> {
    let mut table = Table::new(
        "Accuracy with eight-bit integers",
        "The compact model's ANet in ONNX Runtime, its static quantisation calibrated on 300 faces of the training part, compared on CelebA's validation \
         part (aligned pictures, regions by landmarks), in per cent. The heads stay in single precision.",
        &["operating point", "ANet", "pictures", "mean accuracy", "mean balanced accuracy"],
    );
    for line in lines.lines() {
        let Cost { pictures, precision, point, accuracy, balanced } =
            serde_json::from_str(line).context("a line of int8_accuracy.py")?;
        let percent = |share: f64| format!("{:.3}", 100.0 * share);
        table.row(vec![point, precision, pictures.to_string(), percent(accuracy), percent(balanced)]);
    }
    Ok(table)
}

/// The lines of JSON that a script prints; nothing where it fails, which is told.
fn printed(settings: &Settings, script: &str, arguments: &[&Path]) -> Result<Option<String>> {
    let path = settings.root.join("crates/lineament-bench").join(script);
    let output = Command::new("python3").arg(&path).args(arguments).output().context("python3")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("left out (pip install numpy onnx onnxruntime opencv-python-headless): {said}");
        return Ok(None);
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Some(lines.lines().filter(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n")))
}
