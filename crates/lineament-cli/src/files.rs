//! Where output goes: standard output, or a file that is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::interrupt::Pending;

/// An open output.
pub enum Sink {
    /// Standard output.
    Standard(BufWriter<Stdout>),
    /// A file under a temporary name until [`Sink::finish`].
    Whole {
        /// What is written to.
        pending: BufWriter<Pending>,
        /// The name it will have.
        path: PathBuf,
    },
    /// Something that is no ordinary file (`/dev/null`, a named pipe): renaming would replace it.
    Direct(BufWriter<File>),
}

impl Sink {
    /// Standard output, or the file that was asked for.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout()))) };
        match fs::metadata(path) {
            Ok(known) if known.is_dir() => bail!("{} is a folder; --output wants a file", path.display()),
            Ok(known) if !known.is_file() => {
                let file = File::options().write(true).open(path).map_err(|error| cannot(path, error))?;
                Ok(Self::Direct(BufWriter::new(file)))
            }
            _ => {
                let pending = Pending::create(path).map_err(|error| cannot(path, error))?;
                Ok(Self::Whole { pending: BufWriter::new(pending), path: path.to_owned() })
            }
        }
    }

    /// Writes out what is left and gives a file its name.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Standard(mut out) => out.flush()?,
            Self::Direct(mut out) => out.flush()?,
            Self::Whole { pending, path } => {
                let pending = pending.into_inner().map_err(io::IntoInnerError::into_error);
                pending
                    .and_then(Pending::commit)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
            }
        }
        Ok(())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Standard(out) => out,
            Self::Whole { pending, .. } => pending,
            Self::Direct(out) => out,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

/// Why a file cannot be written, and what to do.
fn cannot(path: &Path, error: io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "its folder is not there; make it, or give another",
        io::ErrorKind::PermissionDenied => {
            "this user may not write there; give another folder, or ask for the permission"
        }
        io::ErrorKind::ReadOnlyFilesystem => "the disk may only be read; give a place on another",
        io::ErrorKind::StorageFull => "the disk is full; free some space, or give a place on another",
        _ => "check the place",
    };
    anyhow::Error::from(error).context(format!("{} cannot be written: {advice}", path.display()))
}

/// Writes a whole file at once.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut sink = Sink::open(Some(path))?;
    sink.write_all(bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    sink.finish()
}

/// Makes a folder for output, with those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => anyhow::Error::from(error)
            .context(format!("the folder {} cannot be made: there is a file of that name", path.display())),
        _ => cannot(path, error),
    })
}
