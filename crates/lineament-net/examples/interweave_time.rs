//! Times the patches of the paper's ANet, one by one and interweaved.
//!
//!     cargo run --release -p lineament-net --example interweave_time -- [RECIPE.toml] [--region N] [--budget SECONDS]
//!
//! Both ways run in turns, so that what else the machine does meets both alike; the figures are medians. A long
//! run is interrupted more often than a short one: on a busy machine compare the best, too.

use std::error::Error;
use std::time::{Duration, Instant};

use lineament_net::{Interweave, InterweaveError, Net, NetSpec, Shape, Tensor, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut recipe, mut side, mut budget) = ("recipes/paper.toml".to_owned(), 96usize, 3.0);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--region" => side = value()?.parse()?,
            "--budget" => budget = value()?.parse()?,
            path => recipe = path.to_owned(),
        }
    }
    let table: toml::Table = toml::from_str(&std::fs::read_to_string(recipe)?)?;
    let nets = table.get("nets").and_then(|nets| nets.get("anet")).ok_or("the recipe has no [nets.anet]")?;
    let spec: NetSpec = nets.clone().try_into()?;
    let patch = spec.input;
    let region = Shape { height: side, width: side, ..patch };
    let room = side.checked_sub(patch.height.max(patch.width)).ok_or("the region is smaller than a patch")?;
    let weights = Weights::random(&spec, 1)?;
    let net = Net::new(&spec, &weights)?;
    let whole = noise([1, region.channels, side, side])?;
    println!("threads patches planned one-by-one interweaved  faster (of the best) redundancy");
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for offsets in [steps(1, room), quincunx(room), steps(3, room), steps(5, room)] {
            let begun = Instant::now();
            let unrolled = Interweave::new(&spec, &weights, region, &offsets)?;
            let planned = begun.elapsed().as_secs_f64();
            let patches = noise([offsets.len(), patch.channels, patch.height, patch.width])?;
            let one_by_one = || Ok(net.forward(&patches)?);
            let [(one, best_one), (all, best_all)] =
                pool.install(|| in_turns(budget, one_by_one, || unrolled.forward(&whole)))?;
            println!(
                "{threads:7} {:7} {:4.0} ms {:7.2} ms {:8.2} ms  {:5.2}x ({:8.2}x) {:9.2}x",
                offsets.len(),
                planned * 1e3,
                one * 1e3,
                all * 1e3,
                one / all,
                best_one / best_all,
                unrolled.redundancy()
            );
            if threads == 1 {
                for share in unrolled.shares() {
                    let (unrolled, patchwise) = (share.unrolled as f64, share.patchwise as f64);
                    let (name, ratio) = (&share.layer, patchwise / unrolled);
                    println!(
                        "            {name}: {:.2} M of {:.2} M multiply-adds, {ratio:.2}x",
                        unrolled / 1e6,
                        patchwise / 1e6
                    );
                }
            }
        }
    }
    Ok(())
}

/// Median and best seconds of both.
fn in_turns(
    budget: f64,
    a: impl Fn() -> Result<Tensor, InterweaveError>,
    b: impl Fn() -> Result<Tensor, InterweaveError>,
) -> Result<[(f64, f64); 2], InterweaveError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while first.len() < 5 || start.elapsed() < Duration::from_secs_f64(budget) {
        let begun = Instant::now();
        a()?;
        first.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        b()?;
        second.push(begun.elapsed().as_secs_f64());
    }
    Ok([first, second].map(|mut times| {
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[0])
    }))
}

/// Values that are no special case.
fn noise(shape: [usize; 4]) -> Result<Tensor, lineament_net::TensorError> {
    let count = shape.iter().product::<usize>();
    Tensor::from_vec(shape, (0..count).map(|i| (i * 7919 % 255) as f32 / 255.0 - 0.5).collect())
}

/// A grid of `count` x `count` offsets from corner to corner.
fn steps(count: usize, room: usize) -> Vec<[usize; 2]> {
    let place = |step: usize| if count < 2 { room / 2 } else { room * step / (count - 1) };
    (0..count).flat_map(|row| (0..count).map(move |column| [place(column), place(row)])).collect()
}

/// The corners and the centre.
fn quincunx(room: usize) -> Vec<[usize; 2]> {
    [steps(2, room), steps(1, room)].concat()
}
