//! Which images are meant: files, folders, patterns, and a list on standard input.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::path_text;
use lineament_data::passed_over::PassedOver;
use lineament_data::walk::{self, Walk, WalkError};

use crate::model;

/// An image to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Where it lies in the folder that was walked, or its name alone: what files made from it are called after.
    pub place: PathBuf,
    /// Whether it was found in a folder, and not named.
    pub found: bool,
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
    passed_over: PassedOver,
}

#[derive(Debug, Clone)]
enum Source {
    /// A file or a folder.
    Path(PathBuf),
    /// A place that a pattern leads to, and that cannot be looked into.
    Unread(Unread),
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
                sources.extend(matches(argument)?);
            }
        }
        Ok(Self { sources, passed_over: PassedOver::default() })
    }

    /// Files of folders that are not looked at, counted while images come out.
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over.clone()
    }

    /// Files and folders that were named, or that patterns lead to.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.sources.iter().filter_map(|source| match source {
            Source::Path(path) => Some(path),
            _ => None,
        })
    }

    /// Whether nothing but folders was named.
    pub fn are_folders(&self) -> bool {
        self.sources.iter().all(|source| matches!(source, Source::Path(path) if path.is_dir()))
    }

    /// Whether one folder was named, and nothing else.
    pub fn is_one_folder(&self) -> bool {
        matches!(self.sources.as_slice(), [Source::Path(path)] if path.is_dir())
    }

    /// Whether a folder was named, or a list that may hold some.
    pub fn walk_folders(&self) -> bool {
        self.sources.iter().any(|source| match source {
            Source::Path(path) => path.is_dir(),
            Source::Unread(_) => false,
            Source::Standard => true,
        })
    }

    /// How many images there are, unless a list on standard input decides.
    pub fn count(&self) -> Option<u64> {
        let countable = !self.sources.iter().any(|source| matches!(source, Source::Standard));
        let inputs = Self { sources: self.sources.clone(), passed_over: PassedOver::default() };
        countable.then(|| inputs.into_iter().filter(Result::is_ok).count() as u64)
    }
}

impl IntoIterator for Inputs {
    type Item = Result<Input, Unread>;
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + Send>;

    fn into_iter(self) -> Self::IntoIter {
        let passed_over = self.passed_over;
        Box::new(self.sources.into_iter().flat_map(move |source| match source {
            Source::Path(path) => images(path, &passed_over),
            Source::Unread(unread) => Box::new(std::iter::once(Err(unread))),
            Source::Standard => listed(passed_over.clone()),
        }))
    }
}

/// The path itself, or what its pattern matches, sorted.
fn matches(argument: &Path) -> Result<Vec<Source>> {
    let text = argument.to_string_lossy();
    // A file may be called `photo[1].jpg`, or be a link that leads nowhere.
    if !text.contains(['*', '?', '[']) || argument.symlink_metadata().is_ok() {
        return Ok(vec![Source::Path(named(argument))]);
    }
    let source = |found: glob::GlobResult| match found {
        // What an earlier run made of a photo was not meant by a pattern.
        Ok(path) => walk::is_no_result(&path).then_some(Source::Path(path)),
        Err(error) => Some(Source::Unread(Unread(format!("{}: {}", error.path().display(), error.error())))),
    };
    let found: Vec<Source> = glob::glob(&text)
        .with_context(|| format!("{text} is no pattern that can be matched; use *, ?, ** and [a-z]"))?
        .filter_map(source)
        .collect();
    if found.is_empty() {
        bail!("no file matches {text}; check the pattern, and the folder it starts in");
    }
    Ok(found)
}

/// The file that was named, as a path or as the URI that stands for names without UTF-8.
fn named(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if path.symlink_metadata().is_err() => path_text::from_text(text),
        _ => path.to_owned(),
    }
}

fn images(path: PathBuf, passed_over: &PassedOver) -> Box<dyn Iterator<Item = Result<Input, Unread>> + Send> {
    if !path.is_dir() {
        let place = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        return Box::new(std::iter::once(Ok(Input { path, place, found: false })));
    }
    let walk = Walk::images(&path, passed_over.clone());
    Box::new(walk.map(move |found| match found {
        Ok(file) => {
            let place = file.strip_prefix(&path).unwrap_or(&file).to_owned();
            Ok(Input { path: file, place, found: true })
        }
        Err(error) => Err(Unread::from(error)),
    }))
}

fn listed(passed_over: PassedOver) -> Box<dyn Iterator<Item = Result<Input, Unread>> + Send> {
    // A lock on standard input cannot cross threads; a reader of its own can.
    Box::new(Entries::of(io::BufReader::new(io::stdin())).flat_map(move |entry| {
        match entry {
            Ok(entry) => path_of(entry)
                .map(|path| named(&path))
                .filter(|path| walk::is_no_result(path))
                .map_or_else(|| Box::new(std::iter::empty()) as Box<_>, |path| images(path, &passed_over)),
            Err(unread) => Box::new(std::iter::once(Err(unread))) as Box<dyn Iterator<Item = _> + Send>,
        }
    }))
}

/// The entries of a list, a line each, or ended by NUL as `find -print0` writes them: what comes first tells.
struct Entries<R> {
    reader: R,
    /// What ends an entry, once that is known.
    end: Option<u8>,
    begun: bool,
    done: bool,
}

impl<R: BufRead> Entries<R> {
    fn of(reader: R) -> Self {
        Self { reader, end: None, begun: false, done: false }
    }

    /// The next one, as soon as it is there; none at the end.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut entry = Vec::new();
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok((!entry.is_empty()).then_some(entry));
            }
            let is_end = |byte: &u8| self.end.map_or([b'\n', 0].contains(byte), |end| end == *byte);
            let found = bytes.iter().position(is_end);
            entry.extend_from_slice(bytes.get(..found.unwrap_or(bytes.len())).unwrap_or_default());
            let read = found.map_or(bytes.len(), |at| at + 1);
            self.end = self.end.or_else(|| bytes.get(found?).copied());
            self.reader.consume(read);
            if found.is_some() {
                return Ok(Some(entry));
            }
        }
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Vec<u8>, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let begun = std::mem::replace(&mut self.begun, true);
        // An image has no lines: how it begins tells.
        if !begun && self.reader.fill_buf().is_ok_and(model::looks_like_image) {
            self.done = true;
            return Some(Err(Unread(
                "standard input holds an image, and - stands for a list of paths: give the name of the file instead"
                    .to_owned(),
            )));
        }
        match self.read() {
            Ok(Some(entry)) if !begun => {
                Some(Ok(entry.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&entry).to_vec()))
            }
            Ok(Some(entry)) => Some(Ok(entry)),
            Ok(None) => None,
            Err(error) => {
                // What fails once would fail for ever.
                self.done = true;
                Some(Err(Unread(format!("the list on standard input cannot be read: {error}"))))
            }
        }
    }
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
        self.unlike(place, |stem, number| format!("{stem}.{kind}{number}.png"))
    }

    /// `album/face.jpg` becomes `album/face`, or `album/face-2` where that is taken: what the names of several files begin with.
    pub fn stem(&mut self, place: &Path) -> PathBuf {
        self.unlike(place, |stem, number| format!("{stem}{number}"))
    }

    /// The first name that is not taken; `name` makes it of the stem and of nothing, `-2`, `-3` and so on.
    fn unlike(&mut self, place: &Path, name: impl Fn(&str, &str) -> String) -> PathBuf {
        let stem = place.file_stem().unwrap_or(place.as_os_str()).to_string_lossy().into_owned();
        let mut found = place.with_file_name(name(&stem, ""));
        let mut number = 2;
        while !self.0.insert(found.clone()) {
            found = place.with_file_name(name(&stem, &format!("-{number}")));
            number += 1;
        }
        found
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
        let mut stems = Names::default();
        let mut of = |name: &str| stems.stem(Path::new(name)).display().to_string();
        assert_eq!(["a/x.jpg", "x.jpg", "x.png", "x-2.png"].map(&mut of), ["a/x", "x", "x-2", "x-2-2"]);
    }

    #[test]
    fn lists_end_their_entries_by_lines_or_nul() {
        let entries = |list: &[u8]| -> Vec<String> {
            // Small reads, so that entries are cut.
            let reader = io::BufReader::with_capacity(3, list);
            let text = |entry: Result<Vec<u8>, Unread>| match entry {
                Ok(entry) => String::from_utf8(entry).unwrap(),
                Err(Unread(reason)) => reason,
            };
            Entries::of(reader).map(text).collect()
        };
        assert_eq!(entries(b"a b.jpg\nc.jpg"), ["a b.jpg", "c.jpg"]);
        assert_eq!(entries(b"a.jpg\0two\nlines.jpg\0"), ["a.jpg", "two\nlines.jpg"]);
        assert_eq!(entries(b"\xef\xbb\xbfa.jpg\r\nb.jpg\r\n"), ["a.jpg\r", "b.jpg\r"]);
        assert_eq!(entries(b""), [""; 0]);
        let images: [&[u8]; 5] = [
            b"\xff\xd8\xff\xe0\nmore\nand more",
            b"\x89PNG\r\n\x1a\n",
            b"II*\0\x08\0\0\0",
            b"\0\0\0\x18ftypheic\0\0",
            b"BM\x36\0\x03\0\0\0\0\0\x36\0",
        ];
        for image in images {
            let said: Vec<_> = Entries::of(image).collect();
            let Err(Unread(reason)) = &said[0] else { unreachable!("{said:?}") };
            assert!(said.len() == 1 && reason.contains("standard input holds an image"), "{reason}");
        }
    }

    #[test]
    fn lines_may_end_as_on_windows() {
        assert_eq!(path_of(b"a b.jpg\r".to_vec()), Some(PathBuf::from("a b.jpg")));
        assert_eq!(path_of(b"\r".to_vec()), None);
    }
}
