//! Windows that a teacher found, as a recipe's table names them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lineament_data::{Sample, Split, windows};

use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::recipe::TaughtWindows;
use crate::sets::canonical;
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
        context.sets.iter().flat_map(|set| &set.samples).map(|s| (canonical(&s.path), s)).collect();
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
        let Some(file) = file else {
            missing.insert(&window.path);
            continue;
        };
        let sample = samples.get(&canonical(file));
        if sample.is_some_and(|sample| sample.split != Split::Train) {
            held_out.insert(&window.path);
            continue;
        }
        // By the name that the data set has for it, by which all else that is known of it is found.
        let path = sample.map_or_else(|| file.clone(), |sample| sample.path.clone());
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use lineament::{Photo, Rect};
    use lineament_data::{Dataset, Framing};

    use super::*;
    use crate::folder::Folder;
    use crate::options::Base;
    use crate::recipe::Recipe;

    #[test]
    fn a_table_gives_windows_of_training_images_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let mut set = Dataset::new("party");
        for (name, split) in [("one", Split::Train), ("two", Split::Train), ("kept", Split::Test)] {
            let path = data.join(format!("{name}.png"));
            Photo::filled(4, 4, [7; 3]).save_png(&path).unwrap();
            let mut sample = Sample::new(path, name.to_owned(), Framing::Photo);
            (sample.split, sample.tags) = (split, vec![Some(true)]);
            set.samples.push(sample);
        }
        Photo::filled(4, 4, [7; 3]).save_png(&data.join("unlisted.png")).unwrap();
        let rows = [
            "one.png,10,20,8,15,3,1",
            "two.png,10,20,8,0,3,1",
            "two.png,30,20,8,0,3,1",
            "two.png,50,20,8,5,1,0",
            "unlisted.png,1,1,2,0,1,1",
            "kept.png,10,20,8,0,3,1",
            "gone.png,10,20,8,0,3,1",
        ];
        std::fs::write(
            data.join("windows.csv"),
            format!("path,x,y,side,roll,score,face\n{}\n", rows.join("\n")),
        )
        .unwrap();

        let (recipe, stop) = (Recipe::named("drawn").unwrap(), AtomicBool::new(false));
        let run = Folder::new(folder.path(), &stop);
        let context = Context {
            recipe: &recipe,
            sets: vec![set],
            data: std::slice::from_ref(&data),
            attributes: vec!["Smiling".to_owned()],
            folder: run,
            base: &Base::Nothing,
            detector: None,
        };
        let of = |table: &str| windows(&context, &TaughtWindows { table: table.to_owned() });
        let (positives, negatives) = of("windows.csv").unwrap();
        let names = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
        let found: Vec<_> =
            positives.iter().map(|one| (names(&one.path), one.roll, one.tags.len())).collect();
        // Whose tags an image with two faces has is not known.
        let expected = [("one", 15.0, 1), ("two", 0.0, 0), ("two", 0.0, 0), ("unlisted", 0.0, 0)];
        assert_eq!(found, expected.map(|(name, roll, tags)| (name.to_owned(), roll, tags)));
        let hard =
            Negative { path: data.join("two.png"), window: Rect::new(46.0, 16.0, 8.0, 8.0), roll: 5.0 };
        assert_eq!(negatives, [hard]);
        assert!(of("nowhere.csv").unwrap_err().to_string().contains("nowhere.csv"));
    }
}
