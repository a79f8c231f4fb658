//! What a folder of shards is bound to.

use std::fs::{self, File};
use std::path::Path;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::source::{Source, hexadecimal};
use crate::files;
use crate::format::Parquet;
use crate::summary::Summary;

/// What is in a shard: the second form has the columns `roll` and `faces_left_out`.
const FORMAT: u32 = 2;

/// The key of a shard's metadata that says which run it is of.
const RUN: &str = "lineament.run";
/// The key that says what is in it.
const SUMMARY: &str = "lineament.summary";

/// Everything beside the images that the answers depend on.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// SHA-256 of the bundle.
    pub model: String,
    /// SHA-256 of the file of the detector that finds faces in the place of LNets, where one does.
    pub detector: Option<String>,
    /// What the nets run on.
    pub engine: String,
    /// Names, in order.
    pub attributes: Vec<String>,
    /// The probability from which on an attribute is called present, where one was given.
    pub threshold: Option<f32>,
    /// Which of the model's thresholds hold otherwise.
    pub operating_point: String,
    /// The smallest face that is looked for, where one was given.
    pub smallest_face: Option<String>,
    /// How many faces of an image are written at most, where a limit was given.
    pub max_faces: Option<usize>,
    /// Whether faces may stand in any orientation.
    pub any_orientation: bool,
}

/// `manifest.json`.
#[derive(Debug, Serialize)]
pub struct Manifest {
    format: u32,
    program: &'static str,
    #[serde(rename = "pictures")]
    images: usize,
    /// SHA-256 over the list of images.
    source: String,
    shard_rows: usize,
    #[serde(flatten)]
    settings: Settings,
}

impl Manifest {
    pub fn of(source: &Source, settings: Settings, shard_rows: usize) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION"),
            images: source.len(),
            source: source.hash(),
            shard_rows,
            settings,
        }
    }

    /// Writes the manifest where there is none, and refuses one that says something else; what a run is known by.
    pub fn agree(&self, folder: &Path) -> Result<String> {
        let path = folder.join("manifest.json");
        let own = serde_json::to_value(self)?;
        if path.exists() {
            let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let there: Value = serde_json::from_slice(&text)
                .with_context(|| format!("{} is no manifest; give another folder", path.display()))?;
            let differs: Vec<&str> = own
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, value)| there.get(name.as_str()) != Some(*value))
                .map(|(name, _)| name.as_str())
                .collect();
            if !differs.is_empty() {
                bail!(
                    "the shards in {} are of another run ({} differs); give another folder, or the pictures, model and options of that run",
                    folder.display(),
                    differs.join(", ")
                );
            }
        } else {
            files::write_whole(&path, &serde_json::to_vec_pretty(&own)?)?;
        }
        let digest = Sha256::digest(serde_json::to_vec(&own)?);
        Ok(hexadecimal(&digest))
    }
}

/// Says in a shard which run it is of and what is in it.
pub fn mark(table: &mut Parquet, run: &str, summary: &Summary) -> Result<()> {
    table.note(RUN, run.to_owned());
    table.note(SUMMARY, serde_json::to_string(summary)?);
    Ok(())
}

/// What is in a shard that is there already; refuses one that this run did not write.
pub fn summary(path: &Path, run: &str) -> Result<Summary> {
    let wrong =
        || format!("{} is no shard of this run; remove it, and it will be written anew", path.display());
    let reader = SerializedFileReader::new(File::open(path).with_context(wrong)?).with_context(wrong)?;
    let noted = reader.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let found = noted.into_iter().flatten().find(|pair| pair.key == key);
        found.and_then(|pair| pair.value.as_deref())
    };
    if value(RUN) != Some(run) {
        bail!(wrong());
    }
    serde_json::from_str(value(SUMMARY).unwrap_or_default()).with_context(wrong)
}
