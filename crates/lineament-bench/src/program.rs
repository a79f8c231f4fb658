//! Runs the program from outside: seconds, and the most memory it held.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How often a running program's memory is looked at. The system keeps the highest value itself: only what is allocated in the
/// last moments can be missed.
const LOOK: Duration = Duration::from_millis(2);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// From start to end.
    pub seconds: f64,
    /// The most resident memory, MB; not a number where the system does not tell.
    pub megabytes: f64,
}

/// Runs a program; what it writes is thrown away.
pub fn run(program: &Path, arguments: &[&str]) -> Result<Cost> {
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = f64::NAN;
    let ended = loop {
        peak = peak.max(most_resident(Path::new(&status)).unwrap_or(f64::NAN));
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        thread::sleep(LOOK);
    };
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(ended.success(), "lineament {} ended with {ended}", arguments.join(" "));
    Ok(Cost { seconds, megabytes: peak })
}

/// `VmHWM` of a process, in MB.
fn most_resident(status: &Path) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
