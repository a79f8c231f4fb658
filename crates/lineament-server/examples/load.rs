//! Load on a service of this machine: `load ADDRESS [SECONDS [CONNECTIONS [PID]]]`.
//!
//! So many clients post photos made of `examples/astronaut.png`, nine of 300 pixels a side to one of 12 megapixels, each client as
//! soon as it has its answer, also after a 429. Prints, for each size, answers by status, answers with 200 a second and how long they
//! took; with the process of the service also its resident memory. Build it with `--release`: it runs beside what it measures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool for one's own machine: a fault may end it")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, resize};

/// One request in so many is a large photo.
const ONE_LARGE_IN: usize = 10;
const SIZES: [&str; 2] = ["300 px", "12 MP"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise, most| {
        arguments.get(at).map_or(otherwise, |text| text.parse::<u64>().unwrap()).clamp(1, most)
    };
    let address = arguments.first().unwrap_or_else(|| panic!("load ADDRESS [SECONDS [CONNECTIONS [PID]]]"));
    let address: SocketAddr = address.trim_start_matches("http://").parse().unwrap();
    assert!(address.ip().is_loopback(), "only services of this machine");
    let time = Duration::from_secs(number(1, 60, 600));
    let connections = number(2, 64, 1024) as usize;

    let requests = [(300, 300), (4000, 3000)].map(|(width, height)| request(width, height));
    for (size, request) in SIZES.iter().zip(&requests) {
        println!("{size}: {} kB", request.len() / 1000);
    }
    let (results, turn) = ([Mutex::default(), Mutex::default()], AtomicUsize::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| client(address, &requests, &results, &turn, begun + time));
        }
    });
    let took = begun.elapsed().as_secs_f64();
    for (size, results) in SIZES.iter().zip(results) {
        report(size, results.into_inner().unwrap(), took);
    }
    if let Some(process) = arguments.get(3) {
        let status = std::fs::read_to_string(Path::new("/proc").join(process).join("status")).unwrap();
        for line in status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")) {
            println!("{line}");
        }
    }
}

/// Seconds of every answer with 200, and how often each outcome came.
#[derive(Default)]
struct Results {
    seconds: Vec<f64>,
    outcomes: BTreeMap<String, usize>,
}

/// A request with a photo of that size, as a camera or a web page may give it.
fn request(width: u32, height: u32) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/astronaut.png");
    let source = image::open(source).unwrap().into_rgb8();
    let rows = source.width() * height / width;
    let part = crop_imm(&source, 0, 0, source.width(), rows.min(source.height())).to_image();
    let photo = resize(&part, width, height, FilterType::CatmullRom);
    let mut jpeg = Cursor::new(Vec::new());
    photo.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 95)).unwrap();
    let jpeg = jpeg.into_inner();
    let head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n";
    [format!("{head}Content-Length: {}\r\n\r\n", jpeg.len()).as_bytes(), &jpeg].concat()
}

fn client(
    address: SocketAddr,
    requests: &[Vec<u8>; 2],
    results: &[Mutex<Results>; 2],
    turn: &AtomicUsize,
    end: Instant,
) {
    let mut connection = None;
    while Instant::now() < end {
        let size = usize::from(turn.fetch_add(1, Ordering::Relaxed) % ONE_LARGE_IN == ONE_LARGE_IN / 2);
        let begun = Instant::now();
        let status = ask(&mut connection, address, &requests[size]);
        let seconds = begun.elapsed().as_secs_f64();
        let mut results = results[size].lock().unwrap();
        let outcome = status.unwrap_or_else(|error| {
            connection = None;
            error.kind().to_string()
        });
        if outcome == "200" {
            results.seconds.push(seconds);
        }
        *results.outcomes.entry(outcome).or_default() += 1;
    }
}

/// The status of the answer; connects first where there is no connection.
fn ask(
    connection: &mut Option<BufReader<TcpStream>>,
    address: SocketAddr,
    request: &[u8],
) -> io::Result<String> {
    let reader = match connection {
        Some(reader) => reader,
        none => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            none.insert(BufReader::new(stream))
        }
    };
    reader.get_mut().write_all(request)?;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).ok_or(io::ErrorKind::UnexpectedEof)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().map_err(io::Error::other)?,
            Some(_) => {}
            None => break,
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(status)
}

fn report(size: &str, mut results: Results, took: f64) {
    results.seconds.sort_by(f64::total_cmp);
    let count = results.seconds.len();
    let quantile = |share: f64| {
        let at = ((share * count as f64) as usize).min(count.saturating_sub(1));
        results.seconds.get(at).map_or(f64::NAN, |seconds| 1000.0 * seconds)
    };
    println!(
        "{size}: {:.1} a second; ms p50 {:.0}, p90 {:.0}, p99 {:.0}, longest {:.0}; outcomes {:?}",
        count as f64 / took,
        quantile(0.5),
        quantile(0.9),
        quantile(0.99),
        quantile(1.0),
        results.outcomes,
    );
}
