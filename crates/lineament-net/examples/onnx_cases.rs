//! Writes nets drawn at random as ONNX, each with inputs and the native engine's outputs, for `.ci/onnx_check.py` to run elsewhere.
//!
//!     cargo run -p lineament-net --example onnx_cases -- DIR [COUNT]
//!
//! Beside `NAME.onnx` stand files `NAME.CASE.VALUE.SIZES.f32`: a value's sizes in its name, its numbers (lowest byte first,
//! row-major) inside.
#![allow(clippy::unwrap_used)]

#[path = "../tests/drawn/mod.rs"]
mod drawn;

use std::error::Error;
use std::fs;
use std::path::Path;

use drawn::{cut, draw_input, draw_local_spec, draw_offsets, draw_spec, draw_weights};
use lineament_net::onnx::{Form, export, export_interweaved};
use lineament_net::{Interweave, Net, Shape};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("say where to write: onnx_cases DIR [COUNT]")?;
    let count = arguments.next().map_or(Ok(100), |count| count.parse::<u64>())?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for seed in 0..count {
        net(folder, seed)?;
        interweaved(folder, seed)?;
    }
    println!("{count} nets, and as many on patches, in {}", folder.display());
    Ok(())
}

/// A net of every kind of layer, on inputs of several sizes where it takes them.
fn net(folder: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let spec = draw_spec(&mut rng);
    let weights = draw_weights(&spec, &mut rng);
    let net = Net::new(&spec, &weights)?;
    // Every other net as one that gives vectors.
    let form = if seed.is_multiple_of(2) { Form::Maps } else { Form::Vectors };
    let name = format!("drawn{seed}");
    fs::write(folder.join(format!("{name}.onnx")), export(&spec, &weights, form)?)?;
    for case in 0..3 {
        let mut shape = spec.input;
        if form == Form::Maps && case > 0 {
            let other = Shape::new(shape.channels, rng.random_range(1..40), rng.random_range(1..40));
            if spec.check_for(other.height, other.width).is_ok() {
                shape = other;
            }
        }
        let input = draw_input(rng.random_range(1..4), shape, &mut rng);
        let output = net.forward(&input)?;
        let sizes = match form {
            Form::Maps => output.shape().to_vec(),
            Form::Vectors => vec![output.items(), output.map().elements()],
        };
        let start = folder.join(format!("{name}.{case}"));
        save(&start, form.input(), &input.shape(), input.data())?;
        save(&start, form.output(), &sizes, output.data())?;
    }
    Ok(())
}

/// A net on patches of a region: case 0 is what the net makes of the patches one by one, case 1 what [`Interweave`] does.
fn interweaved(folder: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Every other net with several local layers, the others with padding and residual blocks.
    let spec = if seed.is_multiple_of(2) { draw_local_spec(&mut rng) } else { draw_spec(&mut rng) };
    let weights = draw_weights(&spec, &mut rng);
    let (shape, offsets) = draw_offsets(spec.input, &mut rng);
    let name = format!("interweaved{seed}");
    let file = export_interweaved(&spec, &weights, shape, &offsets)?;
    fs::write(folder.join(format!("{name}.onnx")), file)?;
    let region = draw_input(1, shape, &mut rng);
    let one_by_one = Net::new(&spec, &weights)?.forward(&cut(&region, spec.input, &offsets))?;
    let together = Interweave::new(&spec, &weights, shape, &offsets)?.forward(&region)?;
    for (case, vectors) in [one_by_one, together].iter().enumerate() {
        let start = folder.join(format!("{name}.{case}"));
        save(&start, "region", &region.shape(), region.data())?;
        save(&start, "vectors", &[vectors.items(), vectors.map().elements()], vectors.data())?;
    }
    Ok(())
}

fn save(start: &Path, value: &str, sizes: &[usize], data: &[f32]) -> std::io::Result<()> {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(format!("{}.{value}.{}.f32", start.display(), sizes.join("x")), bytes)
}
