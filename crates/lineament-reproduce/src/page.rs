//! The page: a section for each experiment, written from the CSVs and the notes beside them.

use std::io::Write;
use std::path::Path;

use lineament_lab::markdown;

use crate::error::ReproduceError;
use crate::experiments::Experiment;
use crate::results::Store;

const HEAD: &str = "# Results\n\n\
Written by `lineament reproduce --data ../shared/data --output docs/results.md` from the figures and the notes in `docs/results/`. Edit the notes or the \
code, not this page.\n\n\
What the paper claims, what comes out here, and the figures behind it. LNets are the nets that find faces, ANet is the net that describes them \
([architecture.md](architecture.md)). The default model's own figures, attribute by attribute, are in [compact.md](compact.md). Most experiments vary one \
thing at a time in a smaller recipe (`recipes/lab.toml`: a narrower ANet on smaller patches, six epochs, no teacher). They show what a change does, not \
how good the system can get. Nets train on partition 0, every choice is made on partition 1, and the figures are from partition 2, in per cent. Intervals \
are 95 % bootstrap intervals over people. Attributes are labels that people gave to photos, not facts about a person.\n";

/// The note that stands before all sections.
const OVERVIEW: &str = "overview";

/// Writes the page.
///
/// # Errors
/// Results or notes that are damaged, or a page that cannot be written.
pub fn write(experiments: &[Experiment], store: &Store, path: &Path) -> Result<(), ReproduceError> {
    let mut page = HEAD.to_owned();
    page += &note(store, OVERVIEW)?;
    for experiment in experiments {
        let section = (experiment.section)(store)?;
        let section = if section.is_empty() { "Not run yet.\n".to_owned() } else { section };
        page += &format!("\n## {}\n{}\n{section}", experiment.title, note(store, experiment.name)?);
    }
    let page = markdown::wrap(&page);
    lineament::output::write_whole(path, |file| file.write_all(page.as_bytes()))
        .map_err(|e| ReproduceError::file(path, e))
}

/// What somebody wrote about an experiment, and where it stands; nothing where there is no note.
fn note(store: &Store, name: &str) -> Result<String, ReproduceError> {
    Ok(store.note(name)?.map_or_else(String::new, |text| {
        format!("\n<!-- By hand, in results/{name}.md: -->\n\n{}\n", text.trim())
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::EXPERIMENTS;

    #[test]
    fn notes_outlive_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.md");
        let store = Store::beside(&path);
        let file = store.beside_results("systems.md").unwrap();
        std::fs::write(file, "The rivals are **strong**.\n").unwrap();
        for _ in 0..2 {
            write(&EXPERIMENTS, &store, &path).unwrap();
            let page = std::fs::read_to_string(&path).unwrap();
            let heading = page.find("## Table 1: whole systems").unwrap();
            let text = page.find("The rivals are **strong**.").unwrap();
            assert!(heading < text && page[text..].contains("Not run yet."), "{page}");
        }
    }

    /// The repository's page is what the command writes from the figures and the notes in the repository, and no note is left out.
    #[test]
    fn the_committed_page_is_written_from_what_lies_beside_it() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results.md");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.md");
        write(&EXPERIMENTS, &Store::beside(&committed), &path).unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        let kept = std::fs::read_to_string(&committed).unwrap();
        let again = "lineament reproduce --data ../shared/data --output docs/results.md --page";
        assert_eq!(page, kept, "write the page anew: {again}");
        for entry in std::fs::read_dir(committed.with_extension("")).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "md") {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                assert!(kept.contains(&format!("in results/{name}: -->")), "{name} belongs to no experiment");
            }
        }
    }
}
