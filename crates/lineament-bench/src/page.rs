//! The page: where the figures come from, what was aimed at and what was measured, and all tables. Every section is kept as JSON beside it, so that one can be
//! measured again without the others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::report::{Report, Target};
use crate::sections;

/// Writes the page of all sections that are kept beside it.
pub fn write(path: &Path) -> Result<()> {
    let kept = sections::ALL.iter().map(|section| Report::kept(path, section.name));
    let kept: Vec<Report> = kept.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    fs::write(path, page(&kept, path)).with_context(|| path.display().to_string())
}

/// The page of some sections, as it is written to `path`.
pub fn page(sections: &[Report], path: &Path) -> String {
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo run --release -p lineament-bench -- --report {}`; do not edit by hand. `--only NAME` measures one section again. \
         The line under each table states machine, commit and versions.\n\n\
         Times are milliseconds, median [first – third quartile]. The programs compared take turns, run by run, each after a pause and some untimed runs. \
         Ratios are the other program's time over ours, the median over the rounds in which both took their turn: above 1 we are faster. \"Of the peak\" is \
         the arithmetic done, relative to the most fused multiply-adds that the same threads reach in a loop of nothing else. The tables are also JSON in `{}/`.\n",
        path.display(),
        path.with_extension("").display()
    );
    if sections.iter().any(|section| !section.targets.is_empty()) {
        text.push_str("\n## Aims\n\n| what | aim | measured | reached |\n|---|---|---|---|\n");
    }
    for Target { what, aim, measured, met } in sections.iter().flat_map(|section| &section.targets) {
        let met = if *met { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {aim} | {measured} | {met} |");
    }
    for section in sections {
        for table in &section.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        let _ = writeln!(text, "\n*Measured on {}.*", section.taken.join("; "));
    }
    lineament_lab::markdown::wrap(&text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The repository's page is what the command writes from the JSON beside it.
    #[test]
    fn the_committed_page_is_written_from_its_tables() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        let kept = sections::ALL.iter().filter_map(|section| Report::kept(&committed, section.name).unwrap());
        let page = page(&kept.collect::<Vec<_>>(), Path::new("docs/benchmarks.md"));
        assert_eq!(page, fs::read_to_string(committed).unwrap());
    }
}
