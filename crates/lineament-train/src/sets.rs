//! The data sets of a training, with their attributes in one order.

use std::path::{Path, PathBuf};

use lineament::attributes::find;
use lineament::{Limits, Photo};
use lineament_data::{Dataset, Framing, Sample, Split, layout};

use crate::error::TrainError;

/// Reads every folder or table; a folder that has no layout of its own is looked into. The `tables` that may lie there are none of its data sets: a recipe
/// names them as something else.
pub fn read_sets(paths: &[PathBuf], tables: &[PathBuf]) -> Result<Vec<Dataset>, TrainError> {
    let tables: Vec<PathBuf> = tables.iter().map(|table| canonical(table)).collect();
    let is_table = |path: &PathBuf| tables.contains(&canonical(path));
    let mut sets = Vec::new();
    for path in paths {
        match layout::detect(path) {
            Ok(found) => sets.push(layout::read(found, path)?),
            Err(none) => {
                let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
                    .map_err(|e| TrainError::io(path, e))?
                    .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                    .filter(|path| !is_table(path))
                    .collect();
                inside.sort();
                let before = sets.len();
                for path in inside {
                    if let Ok(found) = layout::detect(&path) {
                        sets.push(layout::read(found, &path)?);
                    }
                }
                if sets.len() == before {
                    return Err(none.into());
                }
            }
        }
    }
    for set in &sets {
        tracing::info!("{}: {} pictures", set.name, set.len());
        for finding in set.report.to_string().lines() {
            tracing::info!("{}: {finding}", set.name);
        }
    }
    Ok(sets)
}

/// One name for a file that may be named from elsewhere, or through a link.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Marks the images of the sets with these `names` as photos with a face: a flat folder alone does not say so. All of them train, since nothing is known of
/// them that could be validated.
pub fn mark_photos(sets: &mut [Dataset], names: &[String]) {
    for name in names {
        let mut there = false;
        for set in sets.iter_mut().filter(|set| set.name == *name) {
            there = true;
            for sample in &mut set.samples {
                sample.face = Some(true);
                sample.split = Split::Train;
            }
        }
        if !there {
            tracing::warn!("{name}: the recipe names these photos, and no data set is called so");
        }
    }
}

/// The first set with tags says which attributes there are and in which order; those in `without` are left out.
pub fn one_order(sets: Vec<Dataset>, without: &[String]) -> Result<(Vec<Dataset>, Vec<String>), TrainError> {
    let tagged = sets.iter().find(|set| set.samples.iter().any(|s| s.tags.iter().any(Option::is_some)));
    let Some(mut attributes) = tagged.map(|set| set.attributes.clone()) else {
        let why = "no --data folder or table holds attribute tags".to_owned();
        return Err(TrainError::NoImages { stage: "anet".to_owned(), why });
    };
    for name in without {
        // A misspelt name would be learned, which is what was not wanted.
        find(&attributes, name).map_err(|unknown| TrainError::Recipe(format!("`without`: {unknown}")))?;
    }
    attributes.retain(|name| !without.contains(name));
    if attributes.is_empty() {
        return Err(TrainError::Recipe("`without` leaves no attribute to learn".to_owned()));
    }
    let sets = sets.iter().map(|set| set.with_attributes(&attributes)).collect();
    Ok((sets, attributes))
}

/// Training images without a face, a list a data set: those that say so, and objects that are not of the classes with `people`.
pub fn backgrounds(sets: &[Dataset], people: &[String]) -> Vec<Vec<PathBuf>> {
    let of_set = |set: &Dataset| -> Vec<PathBuf> {
        let object = |s: &Sample| {
            let class = s.class.and_then(|class| set.classes.get(class as usize));
            class.is_some_and(|class| !people.contains(class))
        };
        let without = |s: &&Sample| s.split == Split::Train && (s.face == Some(false) || object(s));
        set.samples.iter().filter(without).map(|s| s.path.clone()).collect()
    };
    sets.iter().map(of_set).filter(|paths| !paths.is_empty()).collect()
}

/// Images of the validation part that say that there is no face.
pub fn faceless(sets: &[Dataset]) -> Vec<PathBuf> {
    let of_set = |set: &Dataset| -> Vec<PathBuf> {
        let without = |s: &&Sample| s.split == Split::Validation && s.face == Some(false);
        set.samples.iter().filter(without).map(|s| s.path.clone()).collect()
    };
    sets.iter().flat_map(of_set).collect()
}

/// Tagged photos with a face, as they were taken.
pub fn photos(sets: &[Dataset], split: Split) -> Vec<Sample> {
    let with = |s: &&Sample| {
        s.split == split
            && s.framing == Framing::Photo
            && s.face != Some(false)
            && s.tags.iter().any(Option::is_some)
    };
    sets.iter().flat_map(|set| set.samples.iter().filter(with).cloned()).collect()
}

/// Photos as they were taken in which there is a face, tagged or not.
pub fn with_face(sets: &[Dataset], split: Split) -> Vec<Sample> {
    let with = |s: &&Sample| s.split == split && s.framing == Framing::Photo && s.face == Some(true);
    sets.iter().flat_map(|set| set.samples.iter().filter(with).cloned()).collect()
}

/// Reads an image.
///
/// # Errors
/// When it can't be read, with its path.
pub fn open_photo(path: &Path) -> Result<Photo, TrainError> {
    Photo::open(path, &Limits::default())
        .map_err(|source| TrainError::Photo { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_that_a_recipe_names_are_no_images_without_a_face() {
        let mut folder = Dataset::new("party");
        for (name, split) in [("a", Split::Train), ("b", Split::Validation), ("c", Split::Test)] {
            let mut sample = Sample::new(name.into(), name.to_owned(), Framing::Photo);
            (sample.split, sample.face) = (split, Some(false));
            folder.samples.push(sample);
        }
        let mut sets = [folder];
        assert_eq!((backgrounds(&sets, &[]).len(), faceless(&sets).len()), (1, 1));
        mark_photos(&mut sets, &["party".to_owned(), "picnic".to_owned()]);
        assert_eq!((backgrounds(&sets, &[]).len(), faceless(&sets).len()), (0, 0));
        assert_eq!(with_face(&sets, Split::Train).len(), 3);
        assert!(photos(&sets, Split::Train).is_empty(), "nothing is tagged");
    }

    #[test]
    fn objects_with_people_are_no_images_without_a_face() {
        let mut objects = Dataset::new("objects");
        objects.classes = ["chair", "gown"].map(str::to_owned).to_vec();
        for (name, class) in [("a", 0), ("b", 1), ("c", 0)] {
            let mut sample = Sample::new(name.into(), name.to_owned(), Framing::Photo);
            sample.class = Some(class);
            objects.samples.push(sample);
        }
        let sets = [objects];
        let count = |people: &[String]| backgrounds(&sets, people).iter().flatten().count();
        assert_eq!((count(&[]), count(&["gown".to_owned()])), (3, 2));
    }
}
