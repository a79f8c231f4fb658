//! Eight-bit integers: what ONNX Runtime gains by them, beside our full precision.

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

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    if settings.library.is_none() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let bundle = Bundle::embedded()?;
    for file in lineament::onnx::onnx_files(&bundle)? {
        std::fs::write(folder.path().join(file.name), file.bytes)?;
    }
    let script = settings.root.join("crates/lineament-bench/int8.py");
    let output = Command::new("python3")
        .arg(&script)
        .arg(folder.path())
        .args(["1", settings.pick("5", "40")])
        .output()
        .context("python3")?;
    if !output.status.success() {
        eprintln!(
            "left out (pip install numpy onnx onnxruntime): {}",
            String::from_utf8_lossy(&output.stderr)
        );
        return Ok(());
    }
    let mut table = Table::new(
        "Eight-bit integers",
        "One thread. ONNX Runtime's static quantisation (QDQ, weights a channel each) of the compact model's graphs against the same graphs in f32, in \
         turns; ours, in f32, just after. `apart` is the mean difference of the outputs over their mean size, calibrated on noise.",
        &["net", "input", "ONNX Runtime, f32", "ONNX Runtime, int8", "gain", "native, f32", "apart"],
    );
    let (nets, parts) = (bundle.card().nets(), bundle.parts());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
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
    Ok(())
}
