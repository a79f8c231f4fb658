//! The start of a training: where it fails before anything was learned, the folder is left as it was, so that the next try does not take
//! it for a run that is to be resumed.
#![cfg_attr(not(feature = "train"), allow(dead_code, reason = "used by builds with the feature `train`"))]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file that makes a folder a run.
const RECIPE: &str = "recipe.toml";

/// What a training writes before it learns: its recipe and, with `--from`, the nets that it begins with.
const FIRST: [&str; 5] =
    [RECIPE, "lnet_o.safetensors", "lnet_s.safetensors", "start.safetensors", "localisation.json"];

/// A folder as it was before a training.
pub struct TrainingStart {
    folder: PathBuf,
    /// Nothing where it was not there.
    files: Option<Files>,
    recipe: Option<Vec<u8>>,
}

type Files = BTreeMap<OsString, (u64, Option<SystemTime>)>;

impl TrainingStart {
    /// Remembers what is there.
    pub fn of(folder: &Path) -> Self {
        let recipe = fs::read(folder.join(RECIPE)).ok();
        Self { folder: folder.to_owned(), files: files(folder).ok(), recipe }
    }

    /// After a training that failed: takes away what it wrote, if it had not begun to learn. Whatever else is there stays.
    pub fn undo(self) -> io::Result<()> {
        let Ok(mut now) = files(&self.folder) else { return Ok(()) };
        let before = self.files.clone().unwrap_or_default();
        let new = |name: &OsString| before.get(name) != now.get(name);
        let begun = now.keys().chain(before.keys()).any(|name| new(name) && !FIRST.iter().any(|f| name == f));
        if begun {
            return Ok(());
        }
        now.retain(|name, _| !before.contains_key(name));
        for name in now.keys() {
            fs::remove_file(self.folder.join(name))?;
        }
        let kept = self.folder.join(RECIPE);
        if let Some(recipe) = self.recipe.filter(|recipe| fs::read(&kept).is_ok_and(|now| now != *recipe)) {
            lineament::output::write_whole(&kept, |file| io::Write::write_all(file, &recipe))?;
        }
        if self.files.is_none() {
            fs::remove_dir(&self.folder)?;
        }
        Ok(())
    }
}

fn files(folder: &Path) -> io::Result<Files> {
    let known = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        let found = entry.metadata()?;
        Ok((entry.file_name(), (found.len(), found.modified().ok())))
    };
    folder.read_dir()?.map(known).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        files(folder).unwrap().into_keys().map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn what_a_failed_start_wrote_is_gone_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let start = TrainingStart::of(&folder);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(RECIPE), "new").unwrap();
        fs::write(folder.join("lnet_o.safetensors"), "net").unwrap();
        start.undo().unwrap();
        assert!(!folder.exists());

        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let start = TrainingStart::of(&folder);
        fs::write(folder.join(RECIPE), "new").unwrap();
        start.undo().unwrap();
        assert_eq!(names(&folder), ["notes.txt"]);

        // A stage of an earlier run, tried with another recipe.
        fs::write(folder.join(RECIPE), "first").unwrap();
        fs::write(folder.join("anet.safetensors"), "net").unwrap();
        let start = TrainingStart::of(&folder);
        fs::write(folder.join(RECIPE), "another one").unwrap();
        start.undo().unwrap();
        assert_eq!(fs::read(folder.join(RECIPE)).unwrap(), b"first");
        assert_eq!(names(&folder), ["anet.safetensors", "notes.txt", RECIPE]);
    }

    #[test]
    fn what_was_learned_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        for learned in ["objects.csv", "objects.safetensors", "anet.checkpoint"] {
            let start = TrainingStart::of(&folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(RECIPE), "new").unwrap();
            fs::write(folder.join(learned), "much work").unwrap();
            start.undo().unwrap();
            assert_eq!(names(&folder).len(), 2);
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
