//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Links that are followed to the file behind them, as many as Linux follows.
const LINKS: usize = 40;

/// A file that is written beside its path under another name, and renamed to it once it is whole: whoever reads the path
/// sees the old file or the new one, also after a crash. Dropped before, it leaves nothing.
///
/// A new file may be read by whoever the umask lets; a file that is replaced keeps its mode, owner and group, and behind a
/// link the file that it leads to is replaced, not the link. A file with several names (hard links), or of an owner that
/// this process cannot give away, is written over once all of it is there, since a renamed file would be another one.
#[derive(Debug)]
pub struct WholeFile {
    file: NamedTempFile,
    path: PathBuf,
    in_place: bool,
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
        let mut in_place = false;
        if let Ok(known) = fs::metadata(&path)
            && known.is_file()
        {
            in_place = !take_owner(file.as_file(), &known);
            file.as_file().set_permissions(known.permissions())?;
        }
        Ok(Self { file, path, in_place })
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
        if self.in_place {
            let mut over = File::options().write(true).open(&self.path)?;
            let length = io::copy(&mut self.file.reopen()?, &mut over)?;
            over.set_len(length)?;
            return over.sync_all();
        }
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
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

/// Gives a new file the owner and group of the one that it replaces; whether it may replace it.
#[cfg(unix)]
fn take_owner(new: &File, old: &fs::Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, fchown};

    let is_its = |known: fs::Metadata| known.uid() == old.uid() && known.gid() == old.gid();
    let takes = || fchown(new, Some(old.uid()), Some(old.gid())).is_ok();
    old.nlink() == 1 && (new.metadata().is_ok_and(is_its) || takes())
}

#[cfg(not(unix))]
fn take_owner(_: &File, _: &fs::Metadata) -> bool {
    true
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
    fn a_file_with_two_names_keeps_both_and_an_owner_keeps_a_file() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("one"), "a longer text than the next").unwrap();
        fs::set_permissions(at("one"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::hard_link(at("one"), at("two")).unwrap();
        write_whole(&at("two"), |file| file.write_all(b"short")).unwrap();
        assert_eq!(fs::read_to_string(at("one")).unwrap(), "short");
        assert_eq!(fs::metadata(at("one")).unwrap().ino(), fs::metadata(at("two")).unwrap().ino());
        assert_eq!(fs::metadata(at("one")).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

        fs::write(at("theirs"), "old").unwrap();
        // Only root may give files away; for others, there is nothing to lose.
        let _ = chown(at("theirs"), Some(1234), Some(5678));
        let before = fs::metadata(at("theirs")).unwrap();
        write_whole(&at("theirs"), |file| file.write_all(b"new")).unwrap();
        let after = fs::metadata(at("theirs")).unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(fs::read_to_string(at("theirs")).unwrap(), "new");
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
