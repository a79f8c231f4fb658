//! Outputs that destroy nothing: whether a file may be written is found out before any work begins.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

/// Whether files may be replaced.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ForceArguments {
    /// Replace output files that are there already
    #[arg(long)]
    pub force: bool,
}

/// What a file holds, as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Json,
    JsonLines,
    Csv,
    Parquet,
    Markdown,
    Html,
    Model,
    Npy,
    Tensors,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Text,
        Self::Json,
        Self::JsonLines,
        Self::Csv,
        Self::Parquet,
        Self::Markdown,
        Self::Html,
        Self::Model,
        Self::Npy,
        Self::Tensors,
    ];

    /// The endings of such files, the usual one first.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt", "text", "log", "out"],
            Self::Json => &["json"],
            Self::JsonLines => &["jsonl", "ndjson"],
            Self::Csv => &["csv"],
            Self::Parquet => &["parquet", "pq"],
            Self::Markdown => &["md", "markdown"],
            Self::Html => &["html", "htm"],
            Self::Model => &["lineament", "safetensors"],
            Self::Npy => &["npy"],
            Self::Tensors => &["safetensors"],
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "JSON",
            Self::JsonLines => "JSON Lines",
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
            Self::Markdown => "Markdown",
            Self::Html => "HTML",
            Self::Model => "a model",
            Self::Npy => "a NumPy array",
            Self::Tensors => "tensors",
        }
    }

    /// What a file of this name holds, where its ending is one that is written here.
    pub fn named(path: &Path) -> Option<Self> {
        let ending = ending(path)?;
        Self::ALL.into_iter().find(|kind| kind.endings().contains(&ending.as_str()))
    }

    /// Whether the ending of another kind may stand on such a file: text of any form is text, and many call JSON Lines `.json`.
    fn may_be_called(self, other: Self) -> bool {
        let is_text = !matches!(self, Self::Parquet | Self::Model | Self::Npy | Self::Tensors);
        self == other
            || self == Self::Tensors && other == Self::Model
            || is_text && other == Self::Text
            || self == Self::JsonLines && other == Self::Json
    }
}

/// Endings of files that are never written here: to write there is a slip.
const FOREIGN: &[&str] = &[
    // Images, and what stands beside them.
    "heic", "heif", "avif", "jxl", "jp2", "jpx", "svg", "ico", "psd", "xcf", "eps", "exr", "hdr", "tga",
    "dng", "cr2", "cr3", "nef", "arw", "orf", "raf", "rw2", "raw", "pef", "srw", "xmp",
    "thm", // Films and sound.
    "mp4", "mov", "avi", "mkv", "webm", "m4v", "mp3", "wav", // Documents.
    "pdf", "doc", "docx", "xls", "xlsx", "xlsm", "xlsb", "ods", "odt", "odp", "ppt", "pptx", "rtf", "epub",
    "tex", "ps", // Archives.
    "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "br", "lz4", // Data in other forms.
    "tsv", "tab", "xml", "yaml", "yml", "toml", "ini", "feather", "arrow", "ipc", "orc", "avro", "h5",
    "hdf5", "npz", "pkl", "pickle", "joblib", "mat", "rds", "rdata", "dta", "sav", "db", "sqlite", "sqlite3",
    "duckdb", "mdb", "dbf", "sql", "bin", "onnx", "pt", "pth", "ckpt", "tflite", "pb", // Programs.
    "py", "ipynb", "rs", "c", "cpp", "h", "js", "ts", "java", "go", "sh", "r", "css", "exe", "dll", "so",
];

/// The ending of a name in small letters, where it has one that could say a format: `faces.2026-11-30` has none.
fn ending(path: &Path) -> Option<String> {
    let ending = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
    let says = ending.len() <= 11
        && ending.starts_with(|first: char| first.is_ascii_alphanumeric())
        && ending.contains(|one: char| one.is_ascii_alphabetic())
        && ending.chars().all(|one| one.is_ascii_alphanumeric());
    says.then_some(ending)
}

/// An output file that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// Where it goes.
    pub path: &'a Path,
    /// What is written.
    pub kind: Kind,
    /// Whether the kind was asked for or is the only one; else the name alone decides, and must say something.
    pub fixed: bool,
    /// Replace what is there.
    pub force: ForceArguments,
}

impl Output<'_> {
    /// Refuses a name that says another format, a file that is one of `inputs` or lies in one of these folders, and one that is there
    /// already unless it may be replaced. An empty file holds nothing that could be lost, and a pipe or device keeps nothing.
    pub fn check<'b>(&self, inputs: impl IntoIterator<Item = &'b Path>) -> Result<()> {
        self.check_ending()?;
        // Whatever cannot be asked about is not there, or fails when it is opened.
        let Ok(known) = fs::metadata(self.path) else { return Ok(()) };
        if known.is_dir() {
            bail!("{} is a folder; a file is wanted: {}", self.path.display(), self.example());
        }
        if !known.is_file() || known.len() == 0 {
            return Ok(());
        }
        for input in inputs {
            if is_same(self.path, input) {
                bail!(
                    "{} is read and would be replaced by {}; give another name, such as {}",
                    self.path.display(),
                    self.kind.words(),
                    self.example()
                );
            }
        }
        may_replace(self.path, self.force)
    }

    fn check_ending(&self) -> Result<()> {
        let Some(ending) = ending(self.path) else { return Ok(()) };
        let is_image = lineament_data::walk::is_image(self.path);
        let says = match Kind::named(self.path) {
            Some(other) if self.kind.may_be_called(other) => return Ok(()),
            Some(other) => other.words(),
            None if is_image => "an image",
            None if FOREIGN.contains(&ending.as_str()) => "another format",
            None if self.fixed => return Ok(()),
            None => "no format that is known here",
        };
        let how = if self.fixed { "" } else { ", or say what to write with --format" };
        bail!(
            "{} ends in .{ending}, which says {says}, and {} would be written; name it {}{how}",
            self.path.display(),
            self.kind.words(),
            self.example(),
        );
    }

    /// A name that would do.
    fn example(&self) -> String {
        let usual = self.kind.endings().first().copied().unwrap_or_default();
        let base = if self.path.is_dir() { self.path.join("output") } else { self.path.to_owned() };
        base.with_extension(usual).display().to_string()
    }
}

/// Refuses a file that is there, unless it may be replaced.
pub fn may_replace(path: &Path, force: ForceArguments) -> Result<()> {
    if !force.force && fs::metadata(path).is_ok_and(|known| known.is_file() && known.len() > 0) {
        bail!("{} is there already; give another name, or --force to replace it", path.display());
    }
    Ok(())
}

/// Whether an existing file is `other`, or lies in the folder `other`.
fn is_same(path: &Path, other: &Path) -> bool {
    if other.is_dir() {
        let real = |path: &Path| path.canonicalize().ok();
        return real(path).zip(real(other)).is_some_and(|(path, folder)| path.starts_with(folder));
    }
    Identity::of(path).is_some_and(|identity| identity.is(other))
}

/// Which file a path leads to, by whatever name: through links too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    number: (u64, u64),
    #[cfg(not(unix))]
    path: PathBuf,
}

impl Identity {
    /// Of an existing file.
    pub fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;

            let known = fs::metadata(path).ok()?;
            Some(Self { number: (known.dev(), known.ino()) })
        }
        #[cfg(not(unix))]
        Some(Self { path: path.canonicalize().ok()? })
    }

    /// Whether a path leads to this file.
    pub fn is(&self, path: &Path) -> bool {
        Self::of(path).as_ref() == Some(self)
    }
}

/// Folders and files that a call reads, as far as they were named.
pub fn named<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
    others: impl IntoIterator<Item = Option<&'a PathBuf>>,
) -> Vec<&'a Path> {
    paths.into_iter().chain(others.into_iter().flatten()).map(PathBuf::as_path).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn checked(path: &Path, kind: Kind, fixed: bool, force: bool) -> Result<()> {
        Output { path, kind, fixed, force: ForceArguments { force } }.check([])
    }

    #[test]
    fn a_name_that_says_another_format_is_refused() {
        for (name, kind, fixed) in [
            ("faces.png", Kind::Text, false),
            ("faces.JPG", Kind::Csv, true),
            ("faces.xlsx", Kind::Csv, true),
            ("faces.feather", Kind::Text, false),
            ("faces.whatever", Kind::Text, false),
            ("faces.csv.gz", Kind::Csv, true),
            ("faces.json", Kind::Csv, true),
            ("faces.txt", Kind::Parquet, true),
            ("my.json", Kind::Model, true),
            ("my.HEIC", Kind::Model, true),
            ("faces.safetensors", Kind::Csv, true),
            ("faces.npy", Kind::Json, true),
        ] {
            let refused = checked(Path::new(name), kind, fixed, true).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("name it"), "{refused}");
        }
        for (name, kind, fixed) in [
            ("faces", Kind::Text, false),
            ("faces.2026-11-30", Kind::Text, false),
            ("faces.txt", Kind::Csv, true),
            ("faces.dat", Kind::Csv, true),
            ("faces.JSON", Kind::JsonLines, true),
            ("my.model", Kind::Model, true),
            ("faces.safetensors", Kind::Tensors, true),
            ("report.md", Kind::Markdown, true),
        ] {
            assert!(checked(Path::new(name), kind, fixed, false).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_there_is_kept_unless_it_may_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.csv");
        assert!(checked(&path, Kind::Csv, true, false).is_ok());
        fs::write(&path, "").unwrap();
        assert!(checked(&path, Kind::Csv, true, false).is_ok(), "an empty file, as mktemp makes it");
        fs::write(&path, "mine").unwrap();
        let refused = checked(&path, Kind::Csv, true, false).unwrap_err().to_string();
        assert!(refused.contains("--force"), "{refused}");
        assert!(checked(&path, Kind::Csv, true, true).is_ok());
        assert!(checked(folder.path(), Kind::Csv, true, true).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn an_input_is_never_replaced_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("photos")).unwrap();
        fs::write(at("photos/a"), "photo").unwrap();
        std::os::unix::fs::symlink(at("photos/a"), at("soft.csv")).unwrap();
        fs::hard_link(at("photos/a"), at("hard.csv")).unwrap();
        let force = ForceArguments { force: true };
        for (output, input) in [
            (at("photos/a"), at("photos/a")),
            (at("photos/../photos/a"), at("photos/a")),
            (at("soft.csv"), at("photos/a")),
            (at("hard.csv"), at("photos/a")),
            (at("soft.csv"), at("photos")),
        ] {
            let output = Output { path: &output, kind: Kind::Csv, fixed: true, force };
            let refused = output.check([input.as_path()]).unwrap_err().to_string();
            assert!(refused.contains("is read and would be replaced"), "{refused}");
        }
    }
}
