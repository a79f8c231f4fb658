//! The page: a section an experiment, written from the CSVs alone.

use std::io::Write;
use std::path::Path;

use crate::error::ReproduceError;
use crate::experiments::Experiment;
use crate::results::Store;

const HEAD: &str = "# Results\n\n\
Written by `lineament reproduce --data ../shared/data --output docs/results.md` from the figures in `docs/results/`; edit the code, not this page.\n\n\
The default bundle's own figures, attribute by attribute, are in [compact.md](compact.md). The experiments below vary one thing at a time in a \
smaller recipe (`recipes/lab.toml`: a narrower ANet on smaller patches, six epochs, no teacher), so their figures stand for what a change does, not for the best there is. Nets \
learn on partition 0, everything is chosen on partition 1, and figures are of partition 2, in per cent. Intervals are 95 % bootstrap intervals over people. \
Attributes are labels that people gave to pictures, not facts about a person.\n";

/// Writes the page.
///
/// # Errors
/// Results that are damaged, or a page that cannot be written.
pub fn write(experiments: &[Experiment], store: &Store, path: &Path) -> Result<(), ReproduceError> {
    let mut page = HEAD.to_owned();
    for experiment in experiments {
        let section = (experiment.section)(store)?;
        let section = if section.is_empty() { "Not run yet.\n".to_owned() } else { section };
        page += &format!("\n## {}\n\n{section}", experiment.title);
    }
    lineament::output::write_whole(path, |file| file.write_all(page.as_bytes()))
        .map_err(|e| ReproduceError::file(path, e))
}
