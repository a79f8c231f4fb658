//! Windows that a teacher found, as a recipe's table names them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lineament_data::{Sample, Split, windows};

use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::recipe::TaughtWindows;
use crate::windows::{Negative, Positive};

/// The windows of a table, with a face and without. Images that are not there, and those of another part than the training's, are passed over.
///
/// # Errors
/// When the table is missing or damaged.
pub fn windows(
    context: &Context<'_>,
    taught: &TaughtWindows,
) -> Result<(Vec<Positive>, Vec<Negative>), TrainError> {
    let found = windows::read(&context.file(&taught.table))?;
    let samples: HashMap<PathBuf, &Sample> =
        context.sets.iter().flat_map(|set| &set.samples).map(|s| (absolute(&s.path), s)).collect();
    let mut faces: HashMap<&Path, usize> = HashMap::new();
    for window in found.iter().filter(|window| window.face) {
        *faces.entry(&window.path).or_default() += 1;
    }
    let mut files: HashMap<&Path, Option<PathBuf>> = HashMap::new();
    let (mut positives, mut negatives) = (Vec::new(), Vec::new());
    let (mut missing, mut held_out) = (HashSet::new(), HashSet::new());
    for window in &found {
        let file = files.entry(&window.path).or_insert_with(|| {
            context.data.iter().map(|folder| folder.join(&window.path)).find(|path| path.is_file())
        });
        let Some(path) = file.clone() else {
            missing.insert(&window.path);
            continue;
        };
        let sample = samples.get(&absolute(&path));
        if sample.is_some_and(|sample| sample.split != Split::Train) {
            held_out.insert(&window.path);
            continue;
        }
        if !window.face {
            negatives.push(Negative { path, window: window.rect, roll: window.roll });
            continue;
        }
        // The tags of an image are those of its one face.
        let one = faces.get(window.path.as_path()) == Some(&1);
        let tags = sample.filter(|_| one).map(|sample| sample.tags.clone()).unwrap_or_default();
        positives.push(Positive { path, window: Whereabouts::Region(window.rect), roll: window.roll, tags });
    }
    tracing::info!(
        "{}: {} windows with a face, {} without; passed over: {} images that are not there, {} that are not for training",
        taught.table,
        positives.len(),
        negatives.len(),
        missing.len(),
        held_out.len()
    );
    Ok((positives, negatives))
}

/// The same file may be named from elsewhere.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
