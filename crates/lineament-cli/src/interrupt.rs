//! Ctrl-C leaves no half file.
//!
//! The handler cannot wait for the work to end: it may be waiting for a line of standard input. So every temporary file is
//! known here, and the handler removes them and ends the program.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lineament::output::WholeFile;

/// The exit status after Ctrl-C, as shells give it.
const INTERRUPTED: i32 = 130;

static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn pending() -> MutexGuard<'static, Vec<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes Ctrl-C (and a polite kill) remove what is half written. Without a handler the program still runs, so a failure to
/// set it is ignored.
pub fn clean_up_on_interrupt() {
    let _ = ctrlc::set_handler(|| {
        // The lock is held until the end, so that no file is made meanwhile.
        let files = pending();
        for file in files.iter() {
            let _ = std::fs::remove_file(file).or_else(|_| std::fs::remove_dir_all(file));
        }
        process::exit(INTERRUPTED);
    });
}

/// A file that is not whole yet, removed when dropped or interrupted.
pub struct Pending {
    file: WholeFile,
}

impl Pending {
    /// Begins the file of this path.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Locked before the file is made: an interrupt must not find one that is not listed.
        let mut files = pending();
        let file = WholeFile::create(path)?;
        files.push(file.temporary().to_owned());
        Ok(Self { file })
    }

    /// Gives the file its name.
    pub fn commit(self) -> io::Result<()> {
        let temporary = self.file.temporary().to_owned();
        let mut files = pending();
        self.file.commit()?;
        files.retain(|file| *file != temporary);
        Ok(())
    }
}

/// A folder that is not whole yet, removed when dropped or interrupted.
pub struct PendingFolder {
    folder: tempfile::TempDir,
}

impl PendingFolder {
    /// Begins a folder under another name, beside the one that it will have.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut files = pending();
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".lineament-").suffix(".tmp");
        // As folders are made elsewhere: the umask says who may look into it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(above)?;
        files.push(folder.path().to_owned());
        Ok(Self { folder })
    }

    /// Where it is meanwhile.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name, which nothing has.
    pub fn commit(self, path: &Path) -> io::Result<()> {
        let mut files = pending();
        std::fs::rename(self.folder.path(), path)?;
        let temporary = self.folder.keep();
        files.retain(|file| *file != temporary);
        Ok(())
    }
}

impl Seek for Pending {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
