//! Which images are meant: files, folders, patterns, and a list on standard input.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament_data::walk::{Walk, WalkError};

/// An image to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Where it lies in the folder that was walked, or its name alone: what files made from it are called after.
    pub place: PathBuf,
}

/// A place that cannot be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub String);

impl From<WalkError> for Unread {
    fn from(error: WalkError) -> Self {
        Self(error.to_string())
    }
}

/// A checked list of things to read; images come out of it one at a time.
#[derive(Debug, Clone)]
pub struct Inputs {
    sources: Vec<Source>,
}

#[derive(Debug, Clone)]
enum Source {
    /// A file or a folder.
    Path(PathBuf),
    /// Paths of files and folders, a line each, on standard input.
    Standard,
}

impl Inputs {
    /// Resolves patterns; refuses one that nothing matches.
    pub fn of(arguments: &[PathBuf]) -> Result<Self> {
        let mut sources = Vec::new();
        for argument in arguments {
            if argument.as_os_str() == "-" {
                sources.push(Source::Standard);
            } else {
                sources.extend(matches(argument)?.into_iter().map(Source::Path));
            }
        }
        Ok(Self { sources })
    }

    /// How many images there are, unless a list on standard input decides.
    pub fn count(&self) -> Option<u64> {
        let countable = self.sources.iter().all(|source| matches!(source, Source::Path(_)));
        countable.then(|| self.clone().into_iter().filter(Result::is_ok).count() as u64)
    }
}

impl IntoIterator for Inputs {
    type Item = Result<Input, Unread>;
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + Send>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.sources.into_iter().flat_map(|source| match source {
            Source::Path(path) => images(path),
            Source::Standard => listed(),
        }))
    }
}

/// The path itself, or what its pattern matches, sorted.
fn matches(argument: &Path) -> Result<Vec<PathBuf>> {
    let text = argument.to_string_lossy();
    // A file may be called `photo[1].jpg`.
    if !text.contains(['*', '?', '[']) || argument.exists() {
        return Ok(vec![argument.to_owned()]);
    }
    let found: Vec<PathBuf> = glob::glob(&text)
        .with_context(|| format!("{text} is no pattern that can be matched; use *, ?, ** and [a-z]"))?
        .filter_map(Result::ok)
        .collect();
    if found.is_empty() {
        bail!("no file matches {text}; check the pattern, and the folder it starts in");
    }
    Ok(found)
}

fn images(path: PathBuf) -> Box<dyn Iterator<Item = Result<Input, Unread>> + Send> {
    if !path.is_dir() {
        let place = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        return Box::new(std::iter::once(Ok(Input { path, place })));
    }
    let walk = Walk::images(&path);
    Box::new(walk.map(move |found| match found {
        Ok(file) => {
            let place = file.strip_prefix(&path).unwrap_or(&file).to_owned();
            Ok(Input { path: file, place })
        }
        Err(error) => Err(Unread::from(error)),
    }))
}

fn listed() -> Box<dyn Iterator<Item = Result<Input, Unread>> + Send> {
    // A lock on standard input cannot cross threads; a reader of its own can.
    let mut failed = false;
    // What fails once would fail for ever.
    let lines = io::BufReader::new(io::stdin()).split(b'\n').take_while(move |line| {
        let go_on = !failed;
        failed = line.is_err();
        go_on
    });
    Box::new(lines.flat_map(|line| match line {
        Ok(line) => path_of(line).map_or_else(|| Box::new(std::iter::empty()) as Box<_>, images),
        Err(error) => {
            let unread = Unread(format!("the list on standard input cannot be read: {error}"));
            Box::new(std::iter::once(Err(unread))) as Box<dyn Iterator<Item = _> + Send>
        }
    }))
}

fn path_of(mut line: Vec<u8>) -> Option<PathBuf> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if line.is_empty() { None } else { Some(PathBuf::from(text_of(line))) }
}

#[cfg(unix)]
fn text_of(line: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(line)
}

#[cfg(not(unix))]
fn text_of(line: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&line).into_owned().into()
}

/// Names of the files that are made from images, no two alike.
#[derive(Debug, Default)]
pub struct Names(HashSet<PathBuf>);

impl Names {
    /// `album/face.jpg` becomes `album/face.KIND.png`, or `album/face.KIND-2.png` where that is taken.
    pub fn of(&mut self, place: &Path, kind: &str) -> PathBuf {
        let stem = place.file_stem().unwrap_or(place.as_os_str()).to_string_lossy().into_owned();
        let mut name = place.with_file_name(format!("{stem}.{kind}.png"));
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = place.with_file_name(format!("{stem}.{kind}-{number}.png"));
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::fs;

    fn places(arguments: &[PathBuf]) -> Vec<String> {
        let inputs = Inputs::of(arguments).unwrap();
        inputs.into_iter().map(|input| input.unwrap().place.to_string_lossy().replace('\\', "/")).collect()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.JPG", "a.png", "notes.txt", ".hidden.png", "b/x.webp", "b/photo[1].jpg"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_walked_in_order_and_only_images_are_taken() {
        let folder = folder();
        assert_eq!(places(&[folder.path().to_owned()]), ["a.png", "b/photo[1].jpg", "b/x.webp", "c.JPG"]);
        assert_eq!(Inputs::of(&[folder.path().to_owned()]).unwrap().count(), Some(4));
    }

    #[test]
    fn a_named_file_is_always_tried() {
        let folder = folder();
        assert_eq!(
            places(&[folder.path().join("notes.txt"), folder.path().join("gone.jpg")]),
            ["notes.txt", "gone.jpg"]
        );
    }

    #[test]
    fn patterns_are_matched_and_files_that_look_like_one_are_files() {
        let folder = folder();
        assert_eq!(places(&[folder.path().join("*.[jJ][pP][gG]")]), ["c.JPG"]);
        assert_eq!(places(&[folder.path().join("b/photo[1].jpg")]), ["photo[1].jpg"]);
        let refused = Inputs::of(&[folder.path().join("*.tiff")]).unwrap_err().to_string();
        assert!(refused.contains("no file matches"), "{refused}");
    }

    #[test]
    fn files_made_from_images_never_share_a_name() {
        let mut names = Names::default();
        assert_eq!(names.of(Path::new("b/x.jpg"), "faces"), Path::new("b/x.faces.png"));
        assert_eq!(names.of(Path::new("b/x.png"), "faces"), Path::new("b/x.faces-2.png"));
        assert_eq!(names.of(Path::new("x.png"), "faces"), Path::new("x.faces.png"));
    }

    #[test]
    fn lines_may_end_as_on_windows() {
        assert_eq!(path_of(b"a b.jpg\r".to_vec()), Some(PathBuf::from("a b.jpg")));
        assert_eq!(path_of(b"\r".to_vec()), None);
    }
}
