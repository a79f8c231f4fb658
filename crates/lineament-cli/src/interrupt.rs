//! Ctrl-C leaves no half file.
//!
//! The handler cannot wait for the work to end: it may be waiting for a line of standard input. So every temporary file is
//! known here, and the handler removes them and ends the program.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

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
            let _ = std::fs::remove_file(file);
        }
        process::exit(INTERRUPTED);
    });
}

/// A temporary file beside `path`, removed when dropped or interrupted.
pub struct Pending {
    file: NamedTempFile,
}

impl Pending {
    /// Makes the file.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".lineament-").suffix(".tmp");
        // Temporary files are private by default; an output is a file like any other.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut files = pending();
        let file = builder.tempfile_in(folder)?;
        files.push(file.path().to_owned());
        Ok(Self { file })
    }

    /// The file, to write to.
    pub fn file(&mut self) -> &mut NamedTempFile {
        &mut self.file
    }

    /// Gives the file its name.
    pub fn rename_to(self, path: &Path) -> io::Result<()> {
        let temporary = self.file.path().to_owned();
        self.file.as_file().sync_all()?;
        let mut files = pending();
        self.file.persist(path).map_err(|error| error.error)?;
        files.retain(|file| *file != temporary);
        Ok(())
    }
}
