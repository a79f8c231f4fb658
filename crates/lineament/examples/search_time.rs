//! What a search costs, part by part, with nets of random weights: LNet_o over all levels, and LNet_s at so many windows, upright
//! and turned.
//!
//!     cargo run --release -p lineament --example search_time -- WIDTH HEIGHT SMALLEST_FACE WINDOWS [THREADS]
//!
//! Prints the median time of each in milliseconds, and the most memory that the program held.

use std::error::Error;
use std::time::Instant;

use lineament::input::Preprocess;
use lineament::locate::pyramid::{PyramidLocalizer, PyramidParameters, Window};
use lineament::{Engine, Photo, Point, Search, SmallestFace, Threads};
use lineament_net::{Layer, Net, NetSpec, Shape, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<f32> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [width, height, smallest, windows, ref threads @ ..] = arguments[..] else {
        return Err("give WIDTH HEIGHT SMALLEST_FACE WINDOWS [THREADS]".into());
    };
    let threads = Threads::new(threads.first().map_or(1, |count| *count as usize), &Engine::Native)?;
    let mut photo = Photo::filled(width as u32, height as u32, [0; 3]);
    photo
        .pixels_mut()
        .iter_mut()
        .enumerate()
        .for_each(|(at, value)| *value = ((at * 2_654_435_761) >> 13) as u8);
    // Of two random nets none says anything: windows are given to LNet_s below.
    let parameters = PyramidParameters { candidate_threshold: 1e30, ..PyramidParameters::default() };
    let localizer = PyramidLocalizer::new(lnet_o()?, lnet_s()?, Preprocess::default(), parameters)?;
    let search = Search {
        smallest_face: Some(SmallestFace::pixels(smallest)?),
        max_faces: None,
        any_orientation: false,
    };
    let any = Search { any_orientation: true, ..search };
    let at = |roll: f32| -> Vec<Window> {
        let place =
            |i: usize| Point::new(width * (i as f32 * 0.381).fract(), height * (i as f32 * 0.618).fract());
        (0..windows as usize)
            .map(|i| Window { centre: place(i), side: smallest * (1.2 + i as f32 * 0.03), roll, score: 0.0 })
            .collect()
    };
    let (upright, turned) = (at(0.0), at(13.0));
    let time = |name: &str, work: &(dyn Fn() -> Result<usize, lineament::locate::LocateError> + Sync)| {
        let mut times = Vec::new();
        let begin = Instant::now();
        while times.is_empty() || times.len() < 9 && begin.elapsed().as_secs() < 2 {
            let start = Instant::now();
            threads.install(work)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("{name:<28} {:9.2} ms", times[times.len() / 2]);
        Ok::<_, lineament::locate::LocateError>(())
    };
    time("LNet_o over all levels", &|| Ok(localizer.candidates(&photo, &search)?.len()))?;
    time("in any orientation", &|| Ok(localizer.candidates(&photo, &any)?.len()))?;
    time("LNet_s at upright windows", &|| Ok(localizer.look(&photo, &upright)?.len()))?;
    time("LNet_s at turned windows", &|| Ok(localizer.look(&photo, &turned)?.len()))?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}

fn conv(name: &str, filters: usize, kernel: usize, stride: usize) -> Layer {
    Layer::Conv { name: name.to_owned(), filters, kernel, stride, padding: [0; 2], groups: 1, bias: true }
}

/// About 1,200 multiplications a pixel.
fn lnet_o() -> Result<Net, Box<dyn Error>> {
    net(
        "lnet_o",
        19,
        vec![
            conv("conv1", 12, 3, 2),
            Layer::Relu,
            conv("conv2", 24, 3, 1),
            Layer::Relu,
            conv("conv3", 32, 3, 2),
            Layer::Relu,
            conv("responses", 6, 3, 1),
        ],
    )
}

/// About ten million a window.
fn lnet_s() -> Result<Net, Box<dyn Error>> {
    net(
        "lnet_s",
        48,
        vec![
            conv("conv1", 24, 5, 2),
            Layer::Relu,
            conv("conv2", 40, 3, 1),
            Layer::Relu,
            Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
            conv("conv3", 64, 3, 1),
            Layer::Relu,
            conv("conv4", 96, 3, 1),
            Layer::Relu,
            conv("conv5", 96, 3, 1),
            Layer::Relu,
            conv("responses", 6, 4, 1),
        ],
    )
}

fn net(name: &str, side: usize, layers: Vec<Layer>) -> Result<Net, Box<dyn Error>> {
    let spec = NetSpec { name: name.to_owned(), input: Shape::new(3, side, side), layers };
    Ok(Net::new(&spec, &Weights::random(&spec, 1)?)?)
}
