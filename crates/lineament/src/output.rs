//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Links that are followed to the file behind them, as many as Linux follows.
const LINKS: usize = 40;

/// A file that is written beside its path under another name, and renamed to it once it is whole: whoever reads the path
/// sees the old file or the new one, also after a crash. Dropped before, it leaves nothing.
///
/// A new file may be read by whoever the umask lets; a file that is replaced keeps its mode, and behind a link the file
/// that it leads to is replaced, not the link.
#[derive(Debug)]
pub struct WholeFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file.
    ///
    /// # Errors
    /// A folder that does not exist or cannot be written to, or links that lead in a circle.
    pub fn create(path: &Path) -> io::Result<Self> {
        let path = behind_links(path)?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".lineament-").suffix(".tmp");
        // Temporary files are private to their owner by default; an output is a file like any other.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder)?;
        if let Ok(known) = fs::metadata(&path)
            && known.is_file()
        {
            file.as_file().set_permissions(known.permissions())?;
        }
        Ok(Self { file, path })
    }

    /// The name that it has until it is whole.
    pub fn temporary(&self) -> &Path {
        self.file.path()
    }

    /// Flushes it to the disk and gives it its name.
    ///
    /// # Errors
    /// Whatever the file system says; the path is then as it was.
    pub fn commit(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a [`WholeFile`] in one go.
///
/// # Errors
/// Whatever `fill` or the file system says; `path` is then as it was.
pub fn write_whole(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut whole = WholeFile::create(path)?;
    fill(whole.file.as_file_mut())?;
    whole.commit()
}

/// The path that links lead to, which need not exist.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        // A relative target starts at the link's folder; joining an absolute one gives the target itself.
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::other(format!("{} leads through too many links: name the file itself", path.display())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_whole(&path, |file| file.write_all(b"first")).unwrap();
        let failed = write_whole(&path, |file| {
            file.write_all(b"half of the sec")?;
            Err(io::Error::other("full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_whole(&path, |file| file.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(write_whole(Path::new("/no/such/folder/out"), |_| Ok(())).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_mode_of_any_new_file_and_a_replaced_one_keeps_its_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let (plain, path) = (folder.path().join("plain"), folder.path().join("out"));
        fs::write(&plain, b"").unwrap();
        write_whole(&path, |file| file.write_all(b"first")).unwrap();
        assert_eq!(mode(&path), mode(&plain));
        for own in [0o600, 0o640, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(own)).unwrap();
            write_whole(&path, |file| file.write_all(b"second")).unwrap();
            assert_eq!(mode(&path), own);
        }
    }

    #[cfg(unix)]
    #[test]
    fn behind_links_their_target_is_written() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).unwrap();
        symlink("deep/target", at("second")).unwrap();
        symlink(at("second"), at("first")).unwrap();
        // The target is made, then replaced; the links stay.
        for text in ["one", "two"] {
            write_whole(&at("first"), |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(at("deep/target")).unwrap(), text);
            assert!(at("first").is_symlink() && at("second").is_symlink());
        }
        symlink("round", at("round")).unwrap();
        let refused = write_whole(&at("round"), |_| Ok(())).unwrap_err().to_string();
        assert!(refused.contains("too many links"), "{refused}");
    }
}
