//! YOLO: a folder with `labels/NAME.txt`, a line a face, `images/NAME.jpg`, which leads to the image itself, and `data.yaml`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::Prediction;

use super::datasets::{FACE, inside};
use super::{Answer, Header, PredictionWriter};
use crate::files;
use crate::inputs::Names;
use crate::interrupt::PendingFolder;
use crate::outputs::ForceArguments;
use crate::summary::Summary;

/// The file that tells what is in the folder.
const DATA: &str = "data.yaml";

/// How it begins: only a folder that was written here is replaced.
const MARK: &str = "# Written by Lineament";

/// Refuses a place that is no folder of ours, or lies in one of the folders that are read: its images would be the next run's.
pub fn check(folder: &Path, force: ForceArguments, inputs: &[PathBuf]) -> Result<()> {
    let real = |path: &Path| std::path::absolute(path).map(|path| path.canonicalize().unwrap_or(path));
    for input in inputs.iter().filter(|input| input.is_dir()) {
        if real(folder)?.starts_with(real(input)?) {
            bail!(
                "{} lies in {}, which is read; give a folder outside of it",
                folder.display(),
                input.display()
            );
        }
    }
    let entries = match folder.read_dir() {
        Ok(entries) => entries.count(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) if folder.is_file() => bail!("{} is a file; a folder is wanted", folder.display()),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", folder.display())),
    };
    if entries > 0 && !is_ours(folder) {
        bail!("{} holds something else than what is written here; give another folder", folder.display());
    }
    if entries > 0 && !force.force {
        bail!("{} is there already; give another name, or --force to replace it", folder.display());
    }
    Ok(())
}

fn is_ours(folder: &Path) -> bool {
    fs::read_to_string(folder.join(DATA)).is_ok_and(|text| text.starts_with(MARK))
}

/// `--format yolo`.
pub struct Folder {
    pending: PendingFolder,
    folder: PathBuf,
    model: String,
    names: Names,
}

impl Folder {
    pub fn new(folder: &Path, header: &Header) -> Result<Self> {
        let pending = PendingFolder::beside(folder)
            .with_context(|| format!("{} cannot be written: check the folder above it", folder.display()))?;
        for inner in ["images", "labels"] {
            files::make_folder(&pending.path().join(inner))?;
        }
        let (folder, model) = (folder.to_owned(), header.model_label.clone());
        Ok(Self { pending, folder, model, names: Names::default() })
    }
}

impl PredictionWriter for Folder {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        let prediction = &answer.prediction;
        let Some(path) = &prediction.path else { return Ok(()) };
        // A label belongs to the image of the same name but for its ending.
        let stem = self.names.stem(&inner(Path::new(&answer.name)));
        let text = lines(prediction);
        put(&self.pending.path().join("labels").join(with_ending(&stem, "txt")), |file| {
            fs::write(file, text)
        })?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("jpg");
        let image =
            path.canonicalize().with_context(|| format!("{} is not there any more", path.display()))?;
        put(&self.pending.path().join("images").join(with_ending(&stem, ending)), |file| lead(&image, file))
    }

    /// An image that cannot be read is none to learn from.
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Summary) -> Result<()> {
        let data = format!("{MARK}: {}\ntrain: images\nval: images\nnames:\n  0: {FACE}\n", self.model);
        put(&self.pending.path().join(DATA), |file| fs::write(file, data))?;
        let cannot = || format!("{} cannot be written", self.folder.display());
        // Checked before any work: empty, or ours and to be replaced.
        if self.folder.is_dir() {
            if is_ours(&self.folder) {
                fs::remove_dir_all(&self.folder).with_context(cannot)?;
            } else {
                fs::remove_dir(&self.folder).with_context(cannot)?;
            }
        }
        self.pending.commit(&self.folder).with_context(cannot)
    }
}

/// A line a face: its class, and center, width and height as shares of the image.
fn lines(prediction: &Prediction) -> String {
    let (width, height) = (f64::from(prediction.width), f64::from(prediction.height));
    let line = |face| {
        let rect = inside(face, prediction)?;
        let [x, y, across, down] = [rect.x, rect.y, rect.width, rect.height].map(f64::from);
        let [x, y] = [(x + across / 2.0) / width, (y + down / 2.0) / height];
        Some(format!("0 {x:.6} {y:.6} {:.6} {:.6}\n", across / width, down / height))
    };
    prediction.faces.iter().filter_map(line).collect()
}

/// The parts of a path that stay inside of a folder.
fn inner(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect()
}

/// `a.b` with an ending becomes `a.b.txt`.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn put(file: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    if let Some(folder) = file.parent() {
        files::make_folder(folder)?;
    }
    fill(file).with_context(|| format!("{} cannot be written", file.display()))
}

/// A link to the image, or a copy of it where there are no links.
#[cfg(unix)]
fn lead(image: &Path, file: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(image, file)
}

#[cfg(not(unix))]
fn lead(image: &Path, file: &Path) -> io::Result<()> {
    fs::copy(image, file).map(drop)
}
