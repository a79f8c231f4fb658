//! Times the forward pass of a spec with random weights.
//!
//!     cargo run --release -p lineament-net --example forward_time -- [SPEC.toml] [--batch N] [--threads N] [--size HxW] [--pause MS] [--seconds S] [--int8]
//!
//! Without a file it times a residual net of 0.05 G multiply-adds at 88 x 88.

use std::error::Error;
use std::time::{Duration, Instant};

use lineament_net::{Arithmetic, Layer, Net, NetSpec, Shape, Tensor, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut spec, mut batch, mut threads, mut size, mut pause, mut seconds) =
        (None, 1usize, 1usize, None, 0, 3.0);
    let mut arithmetic = Arithmetic::Single;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--batch" => batch = value()?.parse()?,
            "--threads" => threads = value()?.parse()?,
            // Other threads of the pool fall asleep in a pause.
            "--pause" => pause = value()?.parse()?,
            "--seconds" => seconds = value()?.parse()?,
            "--int8" => arithmetic = Arithmetic::EightBit,
            "--size" => {
                let value = value()?;
                let (height, width) = value.split_once('x').ok_or("--size is HEIGHTxWIDTH")?;
                size = Some((height.parse()?, width.parse()?));
            }
            path => spec = Some(toml::from_str::<NetSpec>(&std::fs::read_to_string(path)?)?),
        }
    }
    let spec = spec.unwrap_or_else(residual);
    let (height, width) = size.unwrap_or((spec.input.height, spec.input.width));
    let work = spec.multiply_adds(height, width)? as f64 * batch as f64;
    let net = Net::with_arithmetic(&spec, &Weights::random(&spec, 1)?, arithmetic)?;
    let shape = [batch, spec.input.channels, height, width];
    let count = shape.iter().product::<usize>();
    let input = Tensor::from_vec(shape, (0..count).map(|i| (i * 7919 % 255) as f32 / 255.0 - 0.5).collect())?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let times = pool.install(|| {
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < 5 || start.elapsed().as_secs_f64() < seconds {
            std::thread::sleep(Duration::from_millis(pause));
            let begun = Instant::now();
            net.forward(&input)?;
            times.push(begun.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok::<_, lineament_net::ForwardError>(times)
    })?;
    let (best, median) = (times[0], times[times.len() / 2]);
    println!(
        "{} {batch}x{}x{height}x{width}, {threads} threads: median {:.3} ms, best {:.3} ms, {:.3} G multiply-adds, {:.0} GFLOP/s",
        spec.name,
        spec.input.channels,
        median * 1e3,
        best * 1e3,
        work / 1e9,
        2.0 * work / median / 1e9
    );
    Ok(())
}

/// A small residual net of the kind that reads faces.
fn residual() -> NetSpec {
    let conv = |name: &str, filters, kernel, stride| Layer::Conv {
        name: name.to_owned(),
        filters,
        kernel,
        stride,
        padding: [kernel / 2; 2],
        groups: 1,
        bias: false,
    };
    let norm = |name: &str| Layer::BatchNorm { name: name.to_owned(), epsilon: 1e-5 };
    let mut layers = vec![conv("stem", 16, 3, 2), norm("stem_norm"), Layer::Relu];
    for (index, (filters, stride)) in
        [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)].into_iter().enumerate()
    {
        let body = vec![
            conv("conv1", filters, 3, stride),
            norm("norm1"),
            Layer::Relu,
            conv("conv2", filters, 3, 1),
            norm("norm2"),
        ];
        let shortcut =
            if stride == 1 { vec![] } else { vec![conv("short", filters, 1, stride), norm("short_norm")] };
        layers.push(Layer::Residual { name: format!("block{index}"), body, shortcut });
        layers.push(Layer::Relu);
    }
    layers.push(Layer::AvgPool { kernel: 6, stride: 1, padding: 0 });
    layers.push(Layer::Linear { name: "fc".to_owned(), outputs: 40, bias: true });
    NetSpec { name: "residual".to_owned(), input: Shape::new(3, 88, 88), layers }
}
