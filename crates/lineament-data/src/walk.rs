//! The files of a folder and of those below it, in the order of their names, and which of them are images.
//!
//! `walkdir` holds a path of its own for each file of a folder that it sorts, 120 bytes and more: over 100,000 images that showed in the program's memory.
//! Here it is a name for each.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io, vec};

use crate::passed_over::PassedOver;

/// Extensions of the formats that Lineament reads.
#[rustfmt::skip]
pub const EXTENSIONS: [&str; 43] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "webp", "bmp", "dib", "tif", "tiff", "pnm", "ppm", "pgm", "pbm", "pam",
    "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpf", "jpx",
    "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "srf", "raf", "orf", "rw2", "pef", "srw", "x3f", "3fr", "mrw",
];

/// Extensions of pictures that are not read. They are looked at all the same, so that nobody takes a folder of them for an empty one.
#[rustfmt::skip]
const OTHER_PICTURES: [&str; 18] = [
    "psd", "psb", "xcf", "kra", "svg", "svgz", "eps", "ai", "ico", "icns", "tga", "exr", "hdr", "dds", "qoi", "jxr", "bpg", "pcx",
];

/// Whether a file's name is that of an image that can be read.
pub fn is_image(path: &Path) -> bool {
    ends_in(path, &EXTENSIONS)
}

/// Whether a file's name is that of an image, read or not.
fn is_picture(path: &Path) -> bool {
    ends_in(path, &EXTENSIONS) || ends_in(path, &OTHER_PICTURES)
}

fn ends_in(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// What the PNG text `Software`, or the comment of a JPEG, says of images that the program makes of images: annotated copies, response maps,
/// explanations, crops.
pub const MADE_BY: &str = "Lineament";

/// Whether a file is an image that the program made of another one: a result, no photo.
pub fn is_made_here(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    let in_png = [b"tEXtSoftware\0", MADE_BY.as_bytes()].concat();
    let in_jpeg = [&[0xff, 0xfe, 0, 2 + MADE_BY.len() as u8], MADE_BY.as_bytes()].concat();
    let marks: [(&[u8], Vec<u8>); 2] = [(b"\x89PNG\r\n\x1a\n", in_png), (b"\xff\xd8\xff", in_jpeg)];
    let is_marked = |(kind, mark): &(&[u8], Vec<u8>)| {
        start.starts_with(kind) && start.windows(mark.len()).any(|at| at == mark.as_slice())
    };
    read.is_ok() && marks.iter().any(is_marked)
}

/// Bytes of an image within which the mark stands.
const START: u64 = 256;

/// Whether a name may be that of a result: `photo.faces.png`, `photo.map-2.png`, `photo.face-1.jpg`. Only such files are opened for a look.
fn may_be_result(path: &Path) -> bool {
    ends_in(path, &["png", "jpg"])
        && path.file_stem().is_some_and(|stem| stem.as_encoded_bytes().contains(&b'.'))
}

/// Whether a file that was found, not named, is to be looked at: not what an earlier run made of a photo.
pub fn is_no_result(path: &Path) -> bool {
    !(may_be_result(path) && is_made_here(path))
}

/// A file or folder that cannot be looked into: a walk goes on behind it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct WalkError {
    /// Where it is.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// A walk under way. Links are followed, but for those into a folder that they lie in; names that begin with a dot are left out, and so
/// are images that the program made of photos.
#[derive(Debug)]
pub struct Walk {
    /// Which files are wanted, by their names.
    wanted: fn(&Path) -> bool,
    /// Folders to enter, one inside of the other, at most.
    depth: usize,
    /// The innermost stands last.
    folders: Vec<Folder>,
    unread: Vec<WalkError>,
    passed_over: PassedOver,
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
    /// Over the images of the folder `root` and of those below it, those of formats that are not read among them. All other
    /// files are counted in `passed_over`.
    pub fn images(root: &Path, passed_over: PassedOver) -> Self {
        Self::of(root, is_picture, usize::MAX, passed_over)
    }

    /// Over all files, in folders no deeper than `depth`: 1 is `root` alone.
    pub fn files(root: &Path, depth: usize) -> Self {
        Self::of(root, |_| true, depth, PassedOver::default())
    }

    fn of(root: &Path, wanted: fn(&Path) -> bool, depth: usize, passed_over: PassedOver) -> Self {
        let mut walk = Self { wanted, depth, folders: Vec::new(), unread: Vec::new(), passed_over };
        walk.enter(root.to_owned());
        walk
    }

    fn enter(&mut self, path: PathBuf) {
        if self.folders.len() >= self.depth {
            return;
        }
        match self.opened(&path) {
            Ok(folder) => self.folders.push(folder),
            Err(source) => self.unread.push(WalkError { path, source }),
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
                Ok(entry) => {
                    let name = entry.file_name();
                    // Only of a plain file its name tells whether it is wanted.
                    let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
                    if name.as_encoded_bytes().starts_with(b".") {
                        self.passed_over.hidden();
                    } else if plain && !(self.wanted)(Path::new(&name)) {
                        self.passed_over.other(Path::new(&name));
                    } else {
                        names.push(name.into_boxed_os_str());
                    }
                }
                Err(source) => self.unread.push(WalkError { path: path.to_owned(), source }),
            }
        }
        names.sort_unstable();
        Ok(Folder { path: path.to_owned(), real, names: names.into_iter() })
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, WalkError>;

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
                Ok(found) if !found.is_file() => self.passed_over.special(),
                Ok(_) if !(self.wanted)(&path) => self.passed_over.other(&path),
                Ok(_) if !is_no_result(&path) => self.passed_over.result(),
                Ok(_) => return Some(Ok(path)),
                Err(source) => return Some(Err(WalkError { path, source })),
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
        let found: Vec<String> = Walk::images(&at("album"), PassedOver::default())
            .map(|found| match found {
                Ok(path) => path.strip_prefix(at("album")).unwrap().display().to_string(),
                Err(error) => error.to_string().replace(&format!("{}/", folder.path().display()), ""),
            })
            .collect();
        assert_eq!(found[0], "a/b.png");
        assert!(found[1].starts_with("album/inner/back: a link"), "{found:?}");
        assert!(found[2].starts_with("album/inner/gone.png: "), "{found:?}");
        assert_eq!(found[3..], ["z.png"]);
    }

    #[test]
    fn a_walk_stops_at_its_depth_and_leaves_out_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("inner/deep")).unwrap();
        fs::create_dir(at(".thumbs")).unwrap();
        for name in ["b.PNG", "a.txt", ".hidden.png", ".thumbs/t.png", "inner/c.dib", "inner/deep/d.pam"] {
            fs::write(at(name), b"").unwrap();
        }
        let names = |walk: Walk| -> Vec<String> {
            walk.map(|path| path.unwrap().strip_prefix(folder.path()).unwrap().display().to_string())
                .collect()
        };
        assert_eq!(names(Walk::files(folder.path(), 1)), ["a.txt", "b.PNG"]);
        assert_eq!(names(Walk::files(folder.path(), 2)), ["a.txt", "b.PNG", "inner/c.dib"]);
        let passed_over = PassedOver::default();
        let images = names(Walk::images(folder.path(), passed_over.clone()));
        assert_eq!(images, ["b.PNG", "inner/c.dib", "inner/deep/d.pam"]);
        assert_eq!(passed_over.to_string(), "3 passed over: 1 no pictures by their names (1 .txt), 2 hidden");
    }
}
