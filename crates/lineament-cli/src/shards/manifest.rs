//! What a folder of shards is bound to.
//!
//! Each shard says it of itself, in its metadata: a folder of tables holds nothing else, and opens as one table in whatever reads such
//! folders (some take even hidden files for tables). Earlier builds kept `manifest.json` beside the shards, which is still read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ::parquet::file::metadata::KeyValue;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::roots::Roots;
use super::source::{Source, hexadecimal};
use crate::crops::CropSettings;
use crate::format::Parquet;
use crate::summary::Summary;

/// How shards are kept: the third form knows where its images lie, and takes new ones.
const FORMAT: u32 = 3;

/// The form before it, with `manifest.json` beside the shards, bound to one list of images.
const BEFORE: u32 = 2;

/// Where earlier builds kept the manifest.
const NAME: &str = "manifest.json";

/// Keys of a shard's metadata: which run it is of, what that is bound to, where the images of its rows lie, and what is in it.
const RUN: &str = "lineament.run";
const MANIFEST: &str = "lineament.manifest";
const ROOTS: &str = "lineament.roots";
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
    /// Whether faces have landmarks and pose, where they have.
    pub landmarks: Option<bool>,
    /// Whether faces have their quality, where they have.
    pub quality: Option<bool>,
    /// The quality below which faces are left out, where one was given.
    pub least_quality: Option<f32>,
    /// The probability below which answers are not given, where one was given.
    pub abstain: Option<f32>,
    /// Length of the embedding that each face comes with, where it does.
    pub embeddings: Option<usize>,
    /// How faces are cut out, where they are.
    pub crops: Option<CropSettings>,
}

/// The manifest as this call would write it.
#[derive(Debug, Serialize)]
pub struct Manifest {
    format: u32,
    program: &'static str,
    /// SHA-256 over a table of images; the images of folders may grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    shard_rows: usize,
    #[serde(flatten)]
    settings: Settings,
}

/// What a folder of shards is known by.
pub struct Agreed {
    /// The digest of the manifest.
    run: String,
    manifest: Value,
    /// Where the images of its rows lie.
    pub roots: Roots,
    /// What is in the shards that are there.
    pub summary: Summary,
}

impl Manifest {
    pub fn of(source: &Source, settings: Settings, shard_rows: usize) -> Self {
        let source = match source {
            Source::Files(_) => None,
            Source::Table(table) => Some(table.hash().to_owned()),
        };
        Self { format: FORMAT, program: env!("CARGO_PKG_VERSION"), source, shard_rows, settings }
    }

    /// What the shards of a folder are bound to, or this where there are none; refuses those of another model or of other options.
    pub fn agree(&self, folder: &Path, shards: &BTreeMap<usize, PathBuf>) -> Result<Agreed> {
        let own = serde_json::to_value(self)?;
        let notes: Vec<(&PathBuf, Notes)> =
            shards.values().map(|path| Ok((path, Notes::of(path)?))).collect::<Result<_>>()?;
        let first = notes.iter().find_map(|(_, notes)| notes.manifest.clone());
        let manifest = match first {
            Some(manifest) => manifest,
            None => before(folder)?.unwrap_or_else(|| own.clone()),
        };
        self.check(folder, &own, &manifest)?;
        let run = hexadecimal(&Sha256::digest(serde_json::to_vec(&manifest)?));
        let (mut roots, mut summary) = (Roots::default(), Summary::default());
        for (path, notes) in notes {
            if notes.run != run {
                bail!("{} is no shard of this run; remove it, and it will be written anew", path.display());
            }
            roots.add_all(&notes.roots);
            summary.add_all(&notes.summary);
        }
        Ok(Agreed { run, manifest, roots, summary })
    }

    /// Names what differs.
    fn check(&self, folder: &Path, own: &Value, there: &Value) -> Result<()> {
        let is_known = [FORMAT, BEFORE].map(Value::from).contains(&there["format"]);
        let fits = |name: &str, value: &Value| match name {
            "format" => is_known,
            // What an earlier build did not know is what it did not do.
            _ => there.get(name).unwrap_or(&Value::Null) == value,
        };
        let members = own.as_object().into_iter().flatten();
        let mut differs: Vec<&str> =
            members.filter(|(name, value)| !fits(name, value)).map(|(name, _)| name.as_str()).collect();
        // Before, lists of files had a source, too.
        if self.source.is_none() && there["format"] == FORMAT && there.get("source").is_some() {
            differs.push("source");
        }
        if !differs.is_empty() {
            bail!(
                "the shards in {} are of another run ({} differs); give another folder, or the model and options of that run",
                folder.display(),
                differs.join(", ")
            );
        }
        Ok(())
    }
}

impl Agreed {
    /// Says in a shard which run it is of and what is in it.
    pub fn mark(&self, table: &mut Parquet, roots: &Roots, summary: &Summary) -> Result<()> {
        table.note(RUN, self.run.clone());
        table.note(MANIFEST, self.manifest.to_string());
        table.note(ROOTS, serde_json::to_string(roots)?);
        table.note(SUMMARY, serde_json::to_string(summary)?);
        Ok(())
    }
}

/// The manifest beside the shards of an earlier build.
fn before(folder: &Path) -> Result<Option<Value>> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let value = serde_json::from_slice(&text);
    value.with_context(|| format!("{} is no manifest; give another folder", path.display())).map(Some)
}

/// What a shard says of itself.
struct Notes {
    run: String,
    /// Earlier builds kept it beside.
    manifest: Option<Value>,
    roots: Roots,
    summary: Summary,
}

impl Notes {
    fn of(path: &Path) -> Result<Self> {
        let wrong =
            || format!("{} is no shard of this run; remove it, and it will be written anew", path.display());
        let reader = SerializedFileReader::new(File::open(path).with_context(wrong)?).with_context(wrong)?;
        let noted = reader.metadata().file_metadata().key_value_metadata();
        let value = |key: &str| -> Option<&str> {
            let found = noted.into_iter().flatten().find(|pair: &&KeyValue| pair.key == key);
            found.and_then(|pair| pair.value.as_deref())
        };
        let parsed =
            |key: &str| value(key).map(serde_json::from_str::<Value>).transpose().with_context(wrong);
        Ok(Self {
            run: value(RUN).with_context(wrong)?.to_owned(),
            manifest: parsed(MANIFEST)?,
            roots: value(ROOTS).map_or(Ok(Roots::default()), serde_json::from_str).with_context(wrong)?,
            summary: serde_json::from_str(value(SUMMARY).unwrap_or_default()).with_context(wrong)?,
        })
    }
}
