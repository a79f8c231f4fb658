//! Where a figure comes from: the machine, the commit, the command.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What a report says about its own making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The command that wrote it.
    pub command: String,
    /// The commit of the checkout it was written in, marked where files differ from it.
    pub commit: String,
    /// Processor, threads and system.
    pub machine: String,
}

impl Provenance {
    /// Asks the system, and git in the folder `checkout`; what cannot be told is "unknown".
    pub fn of(command: impl Into<String>, checkout: &Path, threads: usize) -> Self {
        Self { command: command.into(), commit: commit(checkout), machine: machine(threads) }
    }
}

fn commit(checkout: &Path) -> String {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").arg("-C").arg(checkout).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    // Files that git does not follow (data, runs) say nothing about the code.
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => hash,
        _ => format!("{hash} with changes"),
    }
}

fn machine(threads: usize) -> String {
    let processor = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown processor".to_owned());
    format!(
        "{processor}, {threads} thread{}, {} {}",
        if threads == 1 { "" } else { "s" },
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_git_has_an_unknown_commit() {
        let provenance = Provenance::of("lineament evaluate", Path::new("/"), 2);
        assert_eq!(provenance.commit, "unknown");
        assert!(provenance.machine.contains("2 threads"), "{}", provenance.machine);
    }
}
