//! Answers for one image each time a line comes on standard input, on one thread, and prints how many faces there are. A program that
//! measures another engine in turns with this one drives it (`.ci/onnx_turns.py`).
//!
//!     cargo run --release -p lineament --example predict_turns -- IMAGE

use std::error::Error;
use std::io::BufRead;

use lineament::{Limits, Photo, Tagger};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give an image")?;
    let tagger = Tagger::builder().threads(1).build()?;
    let photo = Photo::open(&path, &Limits::default())?;
    for line in std::io::stdin().lock().lines() {
        line?;
        println!("{}", tagger.predict(photo.clone())?.faces.len());
    }
    Ok(())
}
