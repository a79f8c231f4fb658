//! Eight-bit integers: what they gain, ours and ONNX Runtime's, and what they cost in accuracy.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use lineament::engine::Runner;
use lineament::{Bundle, Engine};
use lineament_net::Tensor;
use serde::Deserialize;

use crate::nets;
use crate::report::Report;
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
    images: usize,
    precision: String,
    point: String,
    accuracy: f64,
    balanced: f64,
}

/// What `evaluate` says.
#[derive(Deserialize)]
struct Evaluated {
    images: usize,
    faces_missed: usize,
    mean_accuracy: f64,
    mean_balanced_accuracy: f64,
    mean_average_precision: f64,
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
        "One thread. ONNX Runtime's static quantization (QDQ, weights per channel) of the compact model's graphs against the same graphs in f32, in turns; ours right after, also in turns. `apart` is the mean difference of the outputs over their mean magnitude, on noise, which also calibrates ONNX Runtime's; ours needs no calibration. The last column is ONNX Runtime's int8 time over ours.",
        &[
            "net",
            "input",
            "ONNX Runtime, f32",
            "ONNX Runtime, int8",
            "gain",
            "apart",
            "native, f32",
            "native, int8",
            "gain",
            "apart",
            "int8, ratio",
        ],
    );
    let (nets, parts) = (bundle.card().nets(), bundle.parts());
    for line in lines.lines() {
        let Line { net, shape, apart, full, eight } =
            serde_json::from_str(line).context("a line of int8.py")?;
        let spec = nets.iter().find(|(name, ..)| *name == net).map(|(_, spec, _)| *spec);
        let (spec, weights) = spec.zip(parts.net(&net)).with_context(|| format!("no net {net}"))?;
        let sides = shape.split('x').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        let input = nets::noise(sides.try_into().ok().context("four sides")?)?;
        let [single, ours] = [Engine::Native, Engine::Int8].map(|engine| engine.runner(spec, weights));
        let (single, ours) = (single?, ours?);
        let pool = settings.pool(1, &Engine::Native);
        let of = |runner: &'_ Runner| Ok(runner.forward(&input).map(drop)?);
        let mut rivals = vec![Rival::on(pool, || of(&single)), Rival::on(pool, || of(&ours))];
        let times = in_turns(settings, &mut rivals)?;
        let ms = |index: usize| times.get(index).map_or(f64::NAN, |times| 1e3 * times.median());
        let (ours_full, ours_eight) = (ms(0), ms(1));
        let apart_here = difference(&ours.forward(&input)?, &single.forward(&input)?);
        table.row(vec![
            net,
            shape,
            format!("{full:.3}"),
            format!("{eight:.3}"),
            format!("{:.2}", full / eight),
            format!("{apart:.3}"),
            format!("{ours_full:.3}"),
            format!("{ours_eight:.3}"),
            format!("{:.2}", ours_full / ours_eight),
            format!("{apart_here:.3}"),
            format!("{:.2}", eight / ours_eight),
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
    report.table(whole_cost(settings, &faces)?);
    Ok(())
}

/// Mean difference over mean size.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    let sum = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v.abs())).sum::<f64>();
    sum(&mut a.data().iter().zip(b.data()).map(|(a, b)| a - b)) / sum(&mut b.data().iter().copied())
}

/// What `evaluate` says of the shipped model on either engine. Nothing is chosen by it, so that the training part may lend its many photos, too.
fn whole_cost(settings: &Settings, faces: &Path) -> Result<Table> {
    let mut table = Table::new(
        "Accuracy of the whole program with eight-bit integers",
        "`lineament evaluate` with `--engine native` and `--engine int8`, in per cent. `found`: on un-cropped photos, with the LNets in eight bits as well. The model was trained on the training part, so there only the difference is meaningful.",
        &[
            "part",
            "faces",
            "images",
            "engine",
            "faces missed",
            "mean accuracy",
            "balanced",
            "average precision",
        ],
    );
    for (split, region, reported) in [
        ("validation", "landmarks", "given"),
        ("validation", "located", "found"),
        ("train", "located", "found"),
    ] {
        for engine in ["native", "int8"] {
            let output = Command::new(&settings.program)
                .arg("evaluate")
                .arg("--data")
                .arg(faces)
                .args(["--split", split, "--region", region, "--engine", engine, "--format", "json"])
                .output()?;
            let said: Evaluated = serde_json::from_slice(&output.stdout)
                .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
            let percent = |share: f64| format!("{:.3}", 100.0 * share);
            table.row(vec![
                split.to_owned(),
                reported.to_owned(),
                said.images.to_string(),
                engine.to_owned(),
                said.faces_missed.to_string(),
                percent(said.mean_accuracy),
                percent(said.mean_balanced_accuracy),
                percent(said.mean_average_precision),
            ]);
        }
    }
    Ok(table)
}

fn cost(lines: &str) -> Result<Table> {
    let mut table = Table::new(
        "Accuracy with eight-bit integers",
        "The compact model's ANet in ONNX Runtime, its static quantization calibrated on 300 faces of the training part, compared on CelebA's validation \
         part (aligned images, regions by landmarks), in per cent. The heads stay in single precision.",
        &["operating point", "ANet", "images", "mean accuracy", "mean balanced accuracy"],
    );
    for line in lines.lines() {
        let Cost { images, precision, point, accuracy, balanced } =
            serde_json::from_str(line).context("a line of int8_accuracy.py")?;
        let percent = |share: f64| format!("{:.3}", 100.0 * share);
        table.row(vec![point, precision, images.to_string(), percent(accuracy), percent(balanced)]);
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
