//! Patches of a face region: one by one against the interweaved operation.

use anyhow::Result;
use lineament::Engine;
use lineament_net::{Interweave, Shape};

use crate::nets::{self, Recipe};
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, in_turns};

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let recipe = Recipe::named(settings, "paper")?;
    let (spec, patches) = (recipe.net("anet")?, recipe.patches()?);
    let weights = nets::weights(&spec)?;
    let side = patches.region as usize;
    let region = Shape { height: side, width: side, ..spec.input };
    let room = side.saturating_sub(patches.size as usize);
    let recipes: Vec<[usize; 2]> =
        patches.offsets.iter().map(|offset| offset.map(|pixels| pixels as usize)).collect();
    let mut table = Table::new(
        "Patch by patch against interweaved",
        "The paper recipe's ANet; nine are the recipe's patches. Patch by patch is one batch of all patches. The redundancy is the factor by which interweaving reduces multiplications, and so the most that can be gained.",
        &[
            "patches",
            "threads",
            "patch by patch",
            "interweaved",
            "ONNX Runtime, patch by patch",
            "faster",
            "redundancy",
        ],
    );
    let whole = nets::noise([1, region.channels, side, side])?;
    for offsets in [steps(1, room), [steps(2, room), steps(1, room)].concat(), recipes, steps(5, room)] {
        let interweaved = Interweave::new(&spec, &weights, region, &offsets)?;
        let batch = nets::batch(&spec, offsets.len())?;
        for threads in [1, 2] {
            let ours = Engine::Native.runner(&spec, &weights)?;
            let theirs = settings.rival(threads)?.map(|rival| rival.runner(&spec, &weights)).transpose()?;
            let pool = settings.pool(threads, &Engine::Native);
            let mut rivals = vec![
                Rival::on(pool, || Ok(ours.forward(&batch).map(drop)?)),
                Rival::on(pool, || Ok(interweaved.forward(&whole).map(drop)?)),
            ];
            if let Some(theirs) = &theirs {
                rivals.push(Rival::alone(|| Ok(theirs.forward(&batch).map(drop)?)));
            }
            let times = in_turns(settings, &mut rivals)?;
            let text = |index: usize| times.get(index).map_or_else(String::new, |times| times.text());
            let faster = times
                .first()
                .zip(times.get(1))
                .map_or(f64::NAN, |(apart, interweaved)| apart.over(interweaved));
            let redundancy = interweaved.redundancy();
            table.row(vec![
                offsets.len().to_string(),
                threads.to_string(),
                text(0),
                text(1),
                text(2),
                format!("{faster:.2}"),
                format!("{redundancy:.2}"),
            ]);
            if offsets.len() == 9 && threads == 2 {
                let aim = (0.9 * redundancy * 100.0).round() / 100.0;
                let what = "interweaved over patch by patch, the recipe's nine patches, two threads (6, or 0.9 of the redundancy)";
                report.at_least(what, aim.min(6.0), faster, "");
            }
        }
    }
    report.table(table);
    Ok(())
}

/// A grid of `count` x `count` offsets from corner to corner; one stands in the middle.
fn steps(count: usize, room: usize) -> Vec<[usize; 2]> {
    let place = |step: usize| if count < 2 { room / 2 } else { room * step / (count - 1) };
    (0..count).flat_map(|row| (0..count).map(move |column| [place(column), place(row)])).collect()
}
