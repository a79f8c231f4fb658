//! Where the images of a sharded run lie, by whatever words it was said: `./photos`, `photos/` and the absolute path are one folder.
//!
//! A folder of shards keeps what its paths begin with, as it was typed first, and where that really is. Later calls may say it otherwise:
//! an image is known by where it is, and is called in the rows as the first call would have.

use std::path::{Component, Path, PathBuf};

use lineament::path_text;
use serde::{Deserialize, Serialize};

/// What paths in the rows begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// As it stands in the rows; empty where paths are relative to the working directory.
    path: String,
    /// The folder, absolute and without links.
    real: String,
}

/// Roots in the order in which they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roots(Vec<Root>);

/// An image by where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePath {
    /// Absolute; below its root, links are as they were walked through.
    pub real: PathBuf,
    /// What it is called in the rows.
    pub key: PathBuf,
}

impl Roots {
    /// The roots of what was typed: folders, and whatever named files lie in. Those of `earlier` are used where they lead to the same place.
    pub fn extend<'a>(&mut self, arguments: impl Iterator<Item = &'a PathBuf>) {
        for argument in arguments.filter(|argument| argument.is_dir()) {
            if let Ok(real) = argument.canonicalize() {
                self.add(&plain(argument), &real);
            }
        }
    }

    /// Adds those of another shard.
    pub fn add_all(&mut self, other: &Self) {
        for root in &other.0 {
            if !self.0.contains(root) {
                self.0.push(root.clone());
            }
        }
    }

    fn add(&mut self, path: &Path, real: &Path) {
        let root = |path: &Path| path_text::to_text(path).into_owned();
        if self.below(real).is_none() {
            self.0.push(Root { path: root(path), real: root(real) });
        }
    }

    /// Whether `real` is a root or lies below one: the nearest, and what follows it.
    fn below(&self, real: &Path) -> Option<(&Root, PathBuf)> {
        let rest = |root: &Root| real.strip_prefix(path_text::from_text(&root.real)).ok().map(Path::to_owned);
        let found = self.0.iter().filter_map(|root| Some((root, rest(root)?)));
        found.min_by_key(|(_, rest)| rest.as_os_str().len())
    }

    /// Where an image is that was found in the folder `folder`, or named, where that is none.
    pub fn path_of(&mut self, path: &Path, folder: Option<&Path>) -> ImagePath {
        let inside = folder.and_then(|folder| path.strip_prefix(folder).ok().map(|rest| (folder, rest)));
        let real = match inside {
            Some((folder, rest)) => real_of(folder).join(rest),
            None => match (path.parent(), path.file_name()) {
                (Some(parent), Some(name)) => real_of(parent).join(name),
                _ => real_of(path),
            },
        };
        if self.below(&real).is_none() {
            self.add_above(path);
        }
        match self.below(&real) {
            Some((root, rest)) => ImagePath { key: path_text::from_text(&root.path).join(rest), real },
            // A way over a link, which only the words that were typed know.
            None => ImagePath { real: self.of_row(&path_text::to_text(&plain(path))), key: plain(path) },
        }
    }

    /// Adds what a named file's path begins with: `/`, the working directory, or a folder above it.
    fn add_above(&mut self, path: &Path) {
        let path = plain(path);
        let above: PathBuf = path
            .components()
            .take_while(|part| {
                matches!(part, Component::ParentDir | Component::RootDir | Component::Prefix(_))
            })
            .collect();
        self.add(&above, &real_of(&above));
    }

    /// Where the image of a row is.
    pub fn of_row(&self, key: &str) -> PathBuf {
        let key = path_text::from_text(key);
        let rest = |root: &Root| key.strip_prefix(path_text::from_text(&root.path)).ok().map(Path::to_owned);
        let fits = |root: &&Root| !root.path.is_empty() || key.is_relative();
        let found = self.0.iter().filter(fits).filter_map(|root| Some((root, rest(root)?)));
        match found.min_by_key(|(_, rest)| rest.as_os_str().len()) {
            Some((root, rest)) => path_text::from_text(&root.real).join(rest),
            // Shards of an earlier build do not say where they began.
            None => match (key.parent(), key.file_name()) {
                (Some(parent), Some(name)) => real_of(parent).join(name),
                _ => real_of(&key),
            },
        }
    }

    /// What an image is called in a row: its key, or the URI of where it is, for names that are no UTF-8.
    pub fn text(path: &ImagePath) -> String {
        match path.key.to_str() {
            Some(_) => path_text::to_text(&path.key).into_owned(),
            None => path_text::to_text(&path.real).into_owned(),
        }
    }

    /// Whether all roots of `other`, and there are some, lie at or below these.
    pub fn cover(&self, other: &Self) -> bool {
        let covered = |root: &Root| self.below(&path_text::from_text(&root.real)).is_some();
        !other.0.is_empty() && other.0.iter().all(covered)
    }
}

/// A path without `.` and with one slash between its parts.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

/// Absolute and without links; of what is not there, absolute.
fn real_of(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_folder_is_one_root_by_whatever_words() {
        let folder = tempfile::tempdir().unwrap();
        let photos = folder.path().join("photos");
        std::fs::create_dir(&photos).unwrap();
        let typed = |words: PathBuf| {
            let mut roots = Roots::default();
            roots.extend([words.clone()].iter());
            (roots.path_of(&words.join("a.png"), Some(&words)), roots)
        };
        let (first, roots) = typed(photos.clone());
        for words in [photos.join("."), photos.join("../photos/"), folder.path().join("./photos")] {
            let (place, again) = typed(words.clone());
            assert_eq!(place.real, first.real, "{}", words.display());
            assert!(roots.cover(&again) && again.cover(&roots));
            // A call that is gone on with has the words of the first.
            assert_eq!(roots.clone().path_of(&words.join("a.png"), Some(&words)).key, first.key);
        }
        assert_eq!(roots.of_row(&Roots::text(&first)), first.real);
        assert_eq!(roots.clone().path_of(&photos.join("./b/c.png"), None).key, photos.join("b/c.png"));
    }

    #[test]
    fn named_files_are_called_as_they_were_typed() {
        let mut roots = Roots::default();
        for (typed, key) in [
            ("Cargo.toml", "Cargo.toml"),
            ("./src/main.rs", "src/main.rs"),
            ("../lineament/Cargo.toml", "../lineament/Cargo.toml"),
        ] {
            let path = roots.path_of(Path::new(typed), None);
            assert_eq!(path.key, Path::new(key));
            assert_eq!(path.real, Path::new(typed).canonicalize().unwrap());
            assert_eq!(roots.of_row(&Roots::text(&path)), path.real);
        }
        let absolute = Path::new("Cargo.toml").canonicalize().unwrap();
        assert_eq!(
            roots.path_of(&absolute, None).key,
            Path::new("Cargo.toml"),
            "the words of the first call"
        );
        assert_eq!(Roots::default().path_of(&absolute, None).key, absolute);
    }
}
