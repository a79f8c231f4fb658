//! Whole nets: ours against ONNX Runtime on our own exported graphs, and what share of the peak that is.

use anyhow::Result;
use lineament::Engine;
use lineament_net::{NetSpec, Tensor, Weights};

use crate::nets::{self, Recipe};
use crate::peak;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, Times, in_turns};

/// Recipe, net, batch, and the least ratio that is aimed at.
const CASES: [(&str, &str, usize, f64); 10] = [
    ("paper", "lnet_o", 1, 1.0),
    ("paper", "lnet_o", 16, 1.0),
    ("paper", "anet", 1, 1.0),
    ("paper", "anet", 64, 1.0),
    ("compact", "lnet_o", 1, 1.2),
    ("compact", "lnet_o", 16, 1.2),
    ("compact", "lnet_s", 1, 1.2),
    ("compact", "lnet_s", 16, 1.2),
    ("compact", "anet", 1, 1.2),
    ("compact", "anet", 64, 1.2),
];

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let mut peaks = Table::new(
        "Peak",
        "Fused multiply-adds in f32 on registers alone, the best of several tries.",
        &["threads", "GFLOP/s"],
    );
    let mut best = Vec::new();
    for threads in [1, 2] {
        let gflops = peak::gflops(threads, settings.pick(0.2, 3.0)).unwrap_or(f64::NAN);
        peaks.row(vec![threads.to_string(), format!("{gflops:.1}")]);
        best.push((threads, gflops));
    }
    report.table(peaks);
    let mut table = Table::new(
        "Whole nets",
        "Compact nets at their declared inputs; in use the LNets slide over larger images, which the stages below include.",
        &["net", "input", "batch", "threads", "native", "ONNX Runtime", "ratio", "GFLOP/s", "of the peak"],
    );
    for (recipe, net, items, aim) in CASES {
        let spec = Recipe::named(settings, recipe)?.net(net)?;
        let weights = nets::weights(&spec)?;
        let input = nets::batch(&spec, items)?;
        for &(threads, peak) in &best {
            let [ours, theirs] = both(settings, &spec, &weights, &input, threads)?;
            let ratio = theirs.over(&ours);
            let gflops = nets::gflop(&spec, items)? / ours.median();
            table.row(vec![
                format!("{recipe} {net}"),
                spec.input.to_string(),
                items.to_string(),
                threads.to_string(),
                ours.text(),
                theirs.text(),
                format!("{ratio:.2}"),
                format!("{gflops:.1}"),
                format!("{:.0} %", 100.0 * gflops / peak),
            ]);
            if threads == 2 && ratio.is_finite() {
                let what =
                    format!("{recipe} {net}, batch {items}, two threads: ONNX Runtime's time over ours");
                report.at_least(what, aim, ratio, "");
            }
        }
    }
    report.table(table);
    Ok(())
}

/// Times of a net on both engines; the rival's are empty where it is not there.
pub fn both(
    settings: &Settings,
    spec: &NetSpec,
    weights: &Weights,
    input: &Tensor,
    threads: usize,
) -> Result<[Times; 2]> {
    let ours = Engine::Native.runner(spec, weights)?;
    let theirs = settings.rival(threads)?.map(|rival| rival.runner(spec, weights)).transpose()?;
    let pool = settings.pool(threads, &Engine::Native);
    let mut rivals = vec![Rival::on(pool, || Ok(ours.forward(input).map(drop)?))];
    if let Some(theirs) = &theirs {
        rivals.push(Rival::alone(|| Ok(theirs.forward(input).map(drop)?)));
    }
    let mut times = in_turns(settings, &mut rivals)?.into_iter();
    Ok([times.next().unwrap_or_default(), times.next().unwrap_or_default()])
}
