//! The pictures of a folder and of those below it, in the order of their names.
//!
//! `walkdir` holds a path of its own for each file of a folder that it sorts, 120 bytes and more: over 100,000 pictures that showed in the program's memory.
//! Here it is a name for each.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io, vec};

use crate::inputs::{Input, Unread, is_picture};

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    root: PathBuf,
    /// The innermost stands last.
    folders: Vec<Folder>,
    unread: Vec<Unread>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Where it lies, links followed.
    real: PathBuf,
    /// What is left of it.
    names: vec::IntoIter<Box<OsStr>>,
}

impl Walk {
    /// Of the folder `root`. Links are followed; names that begin with a dot are left out.
    pub fn new(root: PathBuf) -> Self {
        let mut walk = Self { root: root.clone(), folders: Vec::new(), unread: Vec::new() };
        walk.enter(root);
        walk
    }

    fn enter(&mut self, path: PathBuf) {
        match self.opened(&path) {
            Ok(folder) => self.folders.push(folder),
            Err(error) => self.unread.push(unread(&path, &error)),
        }
    }

    fn opened(&mut self, path: &Path) -> io::Result<Folder> {
        let real = path.canonicalize()?;
        if self.folders.iter().any(|folder| folder.real == real) {
            return Err(io::Error::other("a link to a folder that it lies in is not followed"));
        }
        let mut names = Vec::new();
        for entry in path.read_dir()? {
            match entry {
                Ok(entry) if wanted(&entry) => names.push(entry.file_name().into_boxed_os_str()),
                Ok(_) => {}
                Err(error) => self.unread.push(unread(path, &error)),
            }
        }
        names.sort_unstable();
        Ok(Folder { path: path.to_owned(), real, names: names.into_iter() })
    }
}

/// Whether an entry may be a picture or lead to some: only of a plain file its name tells.
fn wanted(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
    !name.as_encoded_bytes().starts_with(b".") && (!plain || is_picture(Path::new(&name)))
}

fn unread(path: &Path, error: &io::Error) -> Unread {
    Unread(format!("{}: {error}", path.display()))
}

impl Iterator for Walk {
    type Item = Result<Input, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(unread) = self.unread.pop() {
                return Some(Err(unread));
            }
            let folder = self.folders.last_mut()?;
            let Some(name) = folder.names.next() else {
                self.folders.pop();
                continue;
            };
            let path = folder.path.join(&*name);
            match path.metadata() {
                Ok(found) if found.is_dir() => self.enter(path),
                Ok(found) if found.is_file() && is_picture(&path) => {
                    let place = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
                    return Some(Ok(Input { path, place }));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(unread(&path, &error))),
            }
        }
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_but_not_in_a_circle() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("album/inner")).unwrap();
        fs::create_dir(at("elsewhere")).unwrap();
        fs::write(at("elsewhere/b.png"), b"").unwrap();
        symlink(at("elsewhere"), at("album/a")).unwrap();
        symlink(at("elsewhere/b.png"), at("album/z.png")).unwrap();
        symlink(at("album"), at("album/inner/back")).unwrap();
        symlink(at("nowhere"), at("album/inner/gone.png")).unwrap();
        let found: Vec<String> = Walk::new(at("album"))
            .map(|found| match found {
                Ok(input) => input.place.display().to_string(),
                Err(Unread(why)) => why.replace(&format!("{}/", folder.path().display()), ""),
            })
            .collect();
        assert_eq!(found[0], "a/b.png");
        assert!(found[1].starts_with("album/inner/back: a link"), "{found:?}");
        assert!(found[2].starts_with("album/inner/gone.png: "), "{found:?}");
        assert_eq!(found[3..], ["z.png"]);
    }
}
