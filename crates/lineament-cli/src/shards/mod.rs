//! `predict --shards`: the answers to many images as numbered Parquet files, of which a killed run leaves whole ones only, and which the same call goes
//! on with.
//!
//! A shard gets its name when it is whole. What is done is what the shards have rows of; the other images of the list, in its order, fill the
//! numbers that are free: nothing is lost and nothing is there twice, whenever a run ends, and images that come later get shards of their own.

mod grown;
mod manifest;
mod roots;
mod source;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::{Card, Photo, Prediction, Threads};
use sha2::{Digest, Sha256};

use crate::arguments::{CompressionName, ImageArguments};
use crate::commands::Outcome;
use crate::crops::Crops;
use crate::files::{self, Sink};
use crate::format::{Answer, EmbeddingColumn, Extras, Header, Parquet, PredictionWriter};
use crate::outputs::ForceArguments;
use crate::summary::Summary;
use crate::{notes, ordered, progress};

pub use manifest::Settings;
use manifest::{Agreed, Manifest};
use roots::Roots;
use source::{Item, List, Listed, Source};

#[derive(Debug, Args)]
pub struct ShardArguments {
    /// Write numbered Parquet files to this folder; called again after a kill, or when images have come, go on where it ended
    ///
    /// PATH may be one Parquet file of images, too. A row a face, columns as with --format parquet; an image without a face has one row with face
    /// 0, one that cannot be read a row with the reason under `error`. The folder is bound to model, options and images: a call with others is
    /// refused, but for new images, which get new shards. Nothing but shards is in the folder, so that it opens as one table.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "output", "annotate", "xmp"])]
    pub shards: Option<PathBuf>,
    /// Images in a shard
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub shard_rows: u32,
    /// The column with the images' bytes, if PATH is a Parquet file [default: picture, bytes, image or content]
    #[arg(long = "picture-column", value_name = "COLUMN", requires = "shards")]
    pub image_column: Option<String>,
    /// The column that names the images [default: key, id, path or name]
    #[arg(long, value_name = "COLUMN", requires = "shards")]
    pub key_column: Option<String>,
}

/// What is done with each image.
pub struct Work<'a> {
    pub threads: &'a Threads,
    pub card: &'a Card,
    pub predict: &'a (dyn Fn(&Photo) -> lineament::Result<Prediction> + Sync),
    /// Each face as an image: crops of row 17 of shard 3 are called `shard-000003/000017.face-1.jpg` and so on, whatever the list of images
    /// becomes.
    pub crops: Option<Crops>,
    pub force: ForceArguments,
}

/// A sharded run, checked.
pub struct Shards {
    folder: PathBuf,
    rows: usize,
    compression: CompressionName,
    skip_unreadable: bool,
    source: Source,
}

impl Shards {
    /// The run that was asked for, if one was.
    pub fn check(arguments: &ShardArguments, images: &ImageArguments) -> Result<Option<Self>> {
        let Some(folder) = &arguments.shards else { return Ok(None) };
        let columns = [arguments.image_column.as_deref(), arguments.key_column.as_deref()];
        Ok(Some(Self {
            folder: folder.clone(),
            rows: arguments.shard_rows as usize,
            compression: images.compression,
            skip_unreadable: images.skip_unreadable,
            source: Source::of(&images.paths, columns)?,
        }))
    }

    /// Writes the shards that are not there yet.
    pub fn write(&self, header: &Header, settings: Settings, work: Work<'_>) -> Result<Outcome> {
        let embedding = settings.embeddings.map(|_| EmbeddingColumn::Vector);
        let header = &header.clone().with(Extras { crop: work.crops.is_some(), embedding });
        files::make_folder(&self.folder)?;
        work.crops.as_ref().map_or(Ok(()), Crops::make_folder)?;
        let _lock = lock(&self.folder)?;
        remove_halves(&self.folder)?;
        let there = grown::shards(&self.folder)?;
        let agreed = Manifest::of(&self.source, settings, self.rows).agree(&self.folder, &there)?;
        let (mut all, kept) = (agreed.summary, there.len());
        let mut unwritten = 0;
        let due = self.due(&there, &agreed)?;
        for reason in &due.unread {
            notes::unread(reason);
        }
        let bar = progress::bar(Some(due.shards.iter().map(Due::images).sum::<usize>() as u64), false);
        for (number, shard) in grown::free_numbers(&there).zip(&due.shards) {
            let path = self.folder.join(grown::name(number));
            let mut table = Parquet::of_every_image(Sink::open(Some(&path))?, header, self.compression)?;
            let mut summary = Summary::default();
            let numbered = self.items(shard)?.enumerate();
            let look = |(row, item): (usize, Result<Item>)| work.look(item?, &grown::stem(number, row));
            ordered::for_each(work.threads, numbered, look, |answer| {
                match answer? {
                    Ok((answer, troubles)) => {
                        unwritten += u64::from(!troubles.is_empty());
                        troubles.iter().for_each(|trouble| bar.suspend(|| notes::unwritten(trouble)));
                        summary.add(&answer.prediction);
                        table.write(&answer)?;
                    }
                    Err((key, reason)) => {
                        summary.unread += 1;
                        bar.suspend(|| notes::unread(&reason));
                        table.unread(&key, &reason)?;
                    }
                }
                bar.inc(1);
                anyhow::Ok(())
            })?;
            agreed.mark(&mut table, &due.roots, &summary)?;
            Box::new(table).finish(&summary)?;
            all.add_all(&summary);
        }
        bar.finish_and_clear();
        all.unread += due.unread.len() as u64;
        notes::note(format!(
            "{} pictures with {} faces, {} not read: {} ({kept} of {} shards were there)",
            all.images,
            all.faces,
            all.unread,
            self.folder.display(),
            kept + due.shards.len()
        ));
        all.cuts().for_each(notes::note);
        if due.repeated > 0 {
            notes::note(format!(
                "{} more paths lead to the same pictures, which have one row each",
                due.repeated
            ));
        }
        if let Source::Files(inputs) = &self.source
            && inputs.passed_over().total() > 0
        {
            notes::note(inputs.passed_over());
        }
        let unread = if self.skip_unreadable { 0 } else { all.unread };
        Ok(Outcome::with_unread(unread + unwritten))
    }

    /// What has no shard yet.
    fn due(&self, there: &BTreeMap<usize, PathBuf>, agreed: &Agreed) -> Result<DueShards> {
        match &self.source {
            Source::Files(inputs) => {
                let mut list = List::of(inputs, &agreed.roots);
                if list.images.is_empty() && list.unread.is_empty() {
                    bail!("no picture was found; check the folder");
                }
                let (unread, roots) = (std::mem::take(&mut list.unread), list.roots.clone());
                let repeated = list.repeated;
                let missing = grown::missing(&self.folder, there, list)?;
                let shards = missing.chunks(self.rows).map(|images| Due::Files(images.to_vec())).collect();
                Ok(DueShards { shards, unread, repeated, roots })
            }
            Source::Table(table) => {
                let firsts = (0..table.rows()).step_by(self.rows).enumerate();
                let missing = firsts.filter(|(number, _)| !there.contains_key(number));
                let due = |(_, first)| Due::Rows(first, self.rows.min(table.rows() - first));
                let shards = missing.map(due).collect();
                Ok(DueShards { shards, unread: Vec::new(), repeated: 0, roots: Roots::default() })
            }
        }
    }

    fn items<'a>(&'a self, shard: &'a Due) -> Result<Box<dyn Iterator<Item = Result<Item>> + Send + 'a>> {
        match (shard, &self.source) {
            (Due::Files(images), _) => Ok(Box::new(images.iter().map(|image| Ok(image.item())))),
            (Due::Rows(first, rows), Source::Table(table)) => table.items(*first, *rows),
            (Due::Rows(..), Source::Files(_)) => bail!("rows are asked for, and there is no table"),
        }
    }
}

/// The images of a shard that is to be written.
enum Due {
    Files(Vec<Listed>),
    /// The first row, and how many.
    Rows(usize, usize),
}

impl Due {
    fn images(&self) -> usize {
        match self {
            Self::Files(images) => images.len(),
            Self::Rows(_, rows) => *rows,
        }
    }
}

/// Shards that are to be written, and places that could not be looked into.
struct DueShards {
    shards: Vec<Due>,
    unread: Vec<String>,
    repeated: usize,
    roots: Roots,
}

/// The answer for one image and why crops of it were not written, or its key and why it cannot be read.
type Looked = Result<(Answer, Vec<String>), (String, String)>;

impl Work<'_> {
    /// `stem` is what its crops' names begin with. The outer failure is one of output, and ends the run.
    fn look(&self, item: Item, stem: &Path) -> Result<Looked> {
        let photo = match item.photo() {
            Ok(photo) => photo,
            Err(reason) => return Ok(Err((item.key, reason))),
        };
        let prediction = match (self.predict)(&photo) {
            Ok(prediction) => Prediction { path: Some(item.key.clone().into()), ..prediction },
            Err(error) => {
                let reason = format!("{}: {:#}", item.key, anyhow::Error::from(error));
                return Ok(Err((item.key, reason)));
            }
        };
        let (mut crops, mut troubles) = (Vec::new(), Vec::new());
        if let Some(wanted) = &self.crops {
            (crops, troubles) = wanted.save(&photo, &prediction, self.card, stem, self.force)?;
        }
        Ok(Ok((Answer { crops, ..Answer::new(prediction, String::new()) }, troubles)))
    }
}

/// Keeps a second run out of the folder; gone with this process, however it ends.
fn lock(folder: &Path) -> Result<File> {
    let held = |file: File| match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            bail!("another run writes to {}; wait for it, or give another folder", folder.display())
        }
        Err(TryLockError::Error(_)) => Ok(None),
    };
    // The folder itself: a file in it would be taken for a table. Windows opens no folders, and network shares may lock none.
    if cfg!(unix)
        && let Some(file) = File::open(folder).ok().map(held).transpose()?.flatten()
    {
        return Ok(file);
    }
    let cannot = || format!("{} cannot be locked", folder.display());
    held(elsewhere(folder).with_context(cannot)?)?.with_context(cannot)
}

/// A file that belongs to the folder, among this machine's temporary files.
fn elsewhere(folder: &Path) -> std::io::Result<File> {
    let real = folder.canonicalize()?;
    let name = source::hexadecimal(&Sha256::digest(real.as_os_str().as_encoded_bytes()));
    let path = std::env::temp_dir().join(format!("lineament-{name}.lock"));
    File::options().create(true).truncate(false).write(true).open(path)
}

/// What a killed run left under temporary names.
fn remove_halves(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)?.filter_map(Result::ok) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".lineament-") && name.ends_with(".tmp") {
            fs::remove_file(entry.path())
                .with_context(|| format!("{} cannot be removed", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_folder_is_of_one_run_at_a_time_and_holds_no_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let refused = lock(&folder.path().join(".")).unwrap_err().to_string();
        assert!(refused.contains("another run writes to"), "{refused}");
        drop(first);
        assert!(lock(folder.path()).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // As where the folder itself cannot be locked.
        let first = elsewhere(folder.path()).unwrap();
        first.try_lock().unwrap();
        assert!(elsewhere(&folder.path().join(".")).unwrap().try_lock().is_err());
    }
}
