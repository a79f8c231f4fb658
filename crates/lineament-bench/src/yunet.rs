//! YuNet in ONNX Runtime as a rival: a Python program that runs it once for each line that it gets.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::settings::Settings;

/// The program, which waits for lines. It ends with this value.
pub struct Yunet {
    child: Child,
    asked: ChildStdin,
    answered: BufReader<ChildStdout>,
    /// What the net sees: width and height in pixels.
    pub sees: [u32; 2],
}

impl Yunet {
    /// On an image of which it sees `longest` pixels a side at most; none where ONNX Runtime is not installed.
    pub fn start(settings: &Settings, jpeg: &[u8], longest: u32, threads: usize) -> Result<Option<Self>> {
        if settings.library.is_none() {
            return Ok(None);
        }
        let (bench, model) = (
            settings.root.join("crates/lineament-bench/yunet.py"),
            settings.root.join("crates/lineament/detectors/yunet/yunet_n_dynamic.onnx"),
        );
        let image = tempfile::Builder::new().suffix(".jpg").tempfile()?;
        std::fs::write(image.path(), jpeg)?;
        let numbers = [longest.to_string(), threads.to_string()];
        let mut child = Command::new("python3")
            .args([&bench, &model, Path::new(image.path())])
            .args(numbers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3 cannot be started")?;
        let asked = child.stdin.take().context("yunet.py has no input")?;
        let answered = BufReader::new(child.stdout.take().context("yunet.py has no output")?);
        let mut yunet = Self { child, asked, answered, sees: [0; 2] };
        let ready = yunet.line()?;
        let mut sides = ready.split_whitespace().map(str::parse);
        let mut side = || sides.next().context("yunet.py tells no size")?.context("yunet.py tells no size");
        yunet.sees = [side()?, side()?];
        Ok(Some(yunet))
    }

    /// Runs it once.
    pub fn run(&mut self) -> Result<()> {
        self.asked.write_all(b"\n")?;
        self.asked.flush()?;
        self.line().map(drop)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.answered.read_line(&mut line)? > 0, "yunet.py ended: {:?}", self.child.try_wait()?);
        Ok(line)
    }
}

impl Drop for Yunet {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
