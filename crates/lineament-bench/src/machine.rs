//! What the figures were taken on.

use std::fs;
use std::path::Path;
use std::process::Command;

use lineament_lab::Provenance;
use lineament_net::Isa;

use crate::settings::Settings;

/// A load from which on others take processors away. Building the program just before counts, too: build it, wait, measure.
const BUSY: f64 = 1.0;

/// What has to be known of a section's figures.
pub fn lines(settings: &Settings) -> Vec<String> {
    let provenance = Provenance::of("lineament-bench".to_owned(), &settings.root, 2);
    let rival = match settings.rival(2) {
        Ok(Some(engine)) => engine.to_string(),
        _ => "ONNX Runtime was not there".to_owned(),
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let busy = load.first().and_then(|load| load.parse::<f64>().ok()).is_some_and(|load| load > BUSY);
    let warning = if busy { " (**other work was running: figures on two threads mean little**)" } else { "" };
    let glance = settings.arguments.quick.then(|| "**with `--quick`: a glance, no measurement**".to_owned());
    let lines = vec![
        format!("{} ({} processors, kernels for {})", provenance.machine, processors(), instructions()),
        format!("commit {}", provenance.commit),
        format!("lineament {}, {}, {rival}", env!("CARGO_PKG_VERSION"), rustc(&settings.root)),
        format!("load before it {}{warning}", load.join(" ")),
    ];
    lines.into_iter().chain(glance).collect()
}

/// The instruction set that nets run on.
fn instructions() -> String {
    Isa::selected().map_or_else(|error| error.to_string(), |isa| isa.to_string())
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
