//! What the figures were taken on.

use std::fs;
use std::path::Path;
use std::process::Command;

use lineament_lab::Provenance;

use crate::settings::Settings;

/// A load from which on others take processors away. Building the program just before counts, too: build it, wait, measure.
const BUSY: f64 = 1.0;

/// Lines for the head of the page.
pub fn lines(settings: &Settings) -> Vec<String> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    let command = format!("cargo run --release -p lineament-bench -- {}", command.join(" "));
    let provenance = Provenance::of(command, &settings.root, 2);
    let rival = match settings.rival(2) {
        Ok(Some(engine)) => engine.to_string(),
        _ => "ONNX Runtime was not there".to_owned(),
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let busy = load.first().and_then(|load| load.parse::<f64>().ok()).is_some_and(|load| load > BUSY);
    let warning =
        if busy { "; **other programs were at work: figures on two threads are worth little**" } else { "" };
    vec![
        format!("command: `{}`", provenance.command),
        format!("machine: {} ({} processors)", provenance.machine, processors()),
        format!("commit: {}", provenance.commit),
        format!("versions: lineament {}, {}, {rival}", env!("CARGO_PKG_VERSION"), rustc(&settings.root)),
        format!("load when it began (1, 5, 15 minutes): {}{warning}", load.join(" ")),
    ]
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn rustc(root: &Path) -> String {
    let output = Command::new("rustc").arg("--version").current_dir(root).output();
    output.map_or_else(
        |_| "rustc".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
