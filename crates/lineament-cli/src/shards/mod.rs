//! `predict --shards`: the answers to many images as numbered Parquet files, of which a killed run leaves whole ones only, and which the same call goes
//! on with.
//!
//! Which images a shard holds follows from the list of images alone. A shard gets its name when it is whole, so that what has the name need not be
//! done again, and what has not is done from its first image: nothing is lost and nothing is there twice, whenever the run ends.

mod manifest;
mod source;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::{Photo, Prediction, Threads};

use crate::commands::Outcome;
use crate::files::{self, Sink};
use crate::format::{Header, Parquet, PredictionWriter};
use crate::summary::{self, Summary};
use crate::{notes, ordered, progress};

use manifest::Manifest;
pub use manifest::Settings;
use source::{Item, Source};

#[derive(Debug, Args)]
pub struct ShardArguments {
    /// Write numbered Parquet files to this folder; called again after a kill, go on where it ended
    ///
    /// PATH may be one Parquet file of images, too. A row a face, columns as with --format parquet; an image without a face has one row with face
    /// 0, one that cannot be read a row with the reason under `error`. The folder's manifest.json binds images, model and options: others are
    /// refused.
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

/// A sharded run, checked.
pub struct Shards {
    folder: PathBuf,
    rows: usize,
    source: Source,
}

impl Shards {
    /// The run that was asked for, if one was; lists the images.
    pub fn check(arguments: &ShardArguments, paths: &[PathBuf]) -> Result<Option<Self>> {
        let Some(folder) = &arguments.shards else { return Ok(None) };
        let columns = [arguments.image_column.as_deref(), arguments.key_column.as_deref()];
        let source = Source::of(paths, columns)?;
        Ok(Some(Self { folder: folder.clone(), rows: arguments.shard_rows as usize, source }))
    }

    /// Writes the shards that are not there yet.
    pub fn write(
        &self,
        header: &Header,
        settings: Settings,
        threads: &Threads,
        predict: impl Fn(&Photo) -> lineament::Result<Prediction> + Sync,
    ) -> Result<Outcome> {
        files::make_folder(&self.folder)?;
        let _lock = lock(&self.folder)?;
        remove_halves(&self.folder)?;
        let images = self.source.len();
        let run = Manifest::of(&self.source, settings, self.rows).agree(&self.folder)?;
        let bar = progress::bar(Some(images as u64), false);
        let (mut all, mut kept) = (Summary::default(), 0);
        for (number, first) in (0..images).step_by(self.rows).enumerate() {
            let path = self.folder.join(format!("shard-{number:06}.parquet"));
            let rows = self.rows.min(images - first);
            let shard = if path.exists() {
                kept += 1;
                bar.inc(rows as u64);
                manifest::summary(&path, &run)?
            } else {
                let mut shard = Summary::default();
                let mut table = Parquet::of_every_image(Sink::open(Some(&path))?, header)?;
                let work = |item: Result<Item>| item.map(|item| look(item, &predict));
                ordered::for_each(threads, self.source.items(first, rows)?, work, |answer| {
                    match answer? {
                        Ok(prediction) => {
                            shard.add(&prediction);
                            table.write(&prediction)?;
                        }
                        Err((key, reason)) => {
                            shard.unread += 1;
                            bar.suspend(|| notes::unread(&reason));
                            table.unread(&key, &reason)?;
                        }
                    }
                    bar.inc(1);
                    anyhow::Ok(())
                })?;
                manifest::mark(&mut table, &run, &shard)?;
                Box::new(table).finish(&shard)?;
                shard
            };
            all.images += shard.images;
            all.faces += shard.faces;
            all.faces_left_out += shard.faces_left_out;
            all.unread += shard.unread;
        }
        bar.finish_and_clear();
        notes::note(format!(
            "{} pictures with {} faces, {} not read: {} ({} of {} shards were there)",
            all.images,
            all.faces,
            all.unread,
            self.folder.display(),
            kept,
            images.div_ceil(self.rows)
        ));
        if all.faces_left_out > 0 {
            notes::note(summary::left_out(all.faces_left_out));
        }
        Ok(Outcome::with_unread(all.unread))
    }
}

/// The prediction for one image, or its key and why it cannot be read.
fn look(
    item: Item,
    predict: impl Fn(&Photo) -> lineament::Result<Prediction>,
) -> Result<Prediction, (String, String)> {
    let photo = item.photo().map_err(|reason| (item.key.clone(), reason))?;
    match predict(&photo) {
        Ok(prediction) => Ok(Prediction { path: Some(item.key.into()), ..prediction }),
        Err(error) => {
            let reason = format!("{}: {:#}", item.key, anyhow::Error::from(error));
            Err((item.key, reason))
        }
    }
}

/// Keeps a second run out of the folder; gone with this process, however it ends.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(".lock");
    let cannot = || format!("{} cannot be written", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(&path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another run writes to {}; wait for it, or give another folder", folder.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
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
