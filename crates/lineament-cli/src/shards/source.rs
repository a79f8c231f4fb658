//! The images of a sharded run: a list of files, or a Parquet file with a column of bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::{Limits, Photo};
use lineament_data::columns::{Cell, ParquetFile};
use sha2::{Digest, Sha256};

use super::grown::Id;
use super::roots::Roots;
use crate::inputs::{Inputs, Unread};

/// Rows that are read at once: images are large.
const BATCH: usize = 16;

/// How much of a Parquet file's end is part of its hash: the footer, which holds place, size and bounds of every column chunk.
const END: u64 = 64 << 10;

/// An image, not yet decoded.
pub struct Item {
    /// What it is called in the shard.
    pub key: String,
    data: Data,
}

enum Data {
    File(PathBuf),
    Bytes(Vec<u8>),
    Missing,
}

impl Item {
    /// Reads and decodes it; why it cannot be, with its name.
    pub fn photo(&self) -> Result<Photo, String> {
        let limits = Limits::default();
        match &self.data {
            Data::File(path) => Photo::open(path, &limits).map_err(|error| error.to_string()),
            Data::Bytes(bytes) => {
                Photo::decode(bytes, &limits).map_err(|error| format!("{}: {error}", self.key))
            }
            Data::Missing => Err(format!("{}: the row has no picture; leave it out", self.key)),
        }
    }
}

pub enum Source {
    /// What was typed.
    Files(Inputs),
    Table(Table),
}

/// An image of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    path: PathBuf,
    /// What it is called in its row, where that is not its path.
    key: Option<Box<str>>,
    /// Where it is.
    pub id: Id,
}

impl Listed {
    /// What it is called in its row.
    pub fn item(&self) -> Item {
        let key = self.key.as_deref().map_or_else(|| self.path.to_string_lossy().into_owned(), str::to_owned);
        Item { key, data: Data::File(self.path.clone()) }
    }
}

/// The images of a list, each once, and the places that could not be looked into.
pub struct List {
    pub images: Vec<Listed>,
    pub unread: Vec<String>,
    /// Paths that lead to images of the list once more.
    pub repeated: usize,
    /// Roots of an earlier call, and what they lack.
    pub roots: Roots,
    /// Whether folders alone were named, those of the earlier call among them.
    pub covers: bool,
}

impl List {
    /// Lists what was typed; `roots` are those of an earlier call.
    pub fn of(inputs: &Inputs, roots: &Roots) -> Self {
        let mut typed = Roots::default();
        typed.extend(inputs.paths());
        let covers = inputs.are_folders() && typed.cover(roots);
        let mut list =
            Self { images: Vec::new(), unread: Vec::new(), repeated: 0, roots: roots.clone(), covers };
        list.roots.extend(inputs.paths());
        let mut seen = HashSet::new();
        for input in inputs.clone() {
            match input {
                Ok(input) => {
                    // What was found in a folder lies below it by its place; what was named has its name alone.
                    let folder = input.path.ancestors().nth(input.place.components().count());
                    let folder = folder.filter(|_| input.found);
                    let path = list.roots.path_of(&input.path, folder);
                    let id = Id::of(&path.real);
                    if seen.insert(id) {
                        let key = Roots::text(&path);
                        let key = (input.path.to_str() != Some(&key)).then(|| key.into_boxed_str());
                        list.images.push(Listed { path: input.path, key, id });
                    } else {
                        list.repeated += 1;
                    }
                }
                Err(Unread(reason)) => list.unread.push(reason),
            }
        }
        list
    }
}

/// A Parquet file of images.
pub struct Table {
    path: PathBuf,
    rows: usize,
    image: String,
    key: String,
    hash: String,
}

impl Source {
    /// Opens a table, or resolves patterns; `columns` are those of images and keys, where they were named.
    pub fn of(paths: &[PathBuf], columns: [Option<&str>; 2]) -> Result<Self> {
        let is_table =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
        match paths {
            [path] if is_table(path) => return Ok(Self::Table(Table::open(path, columns)?)),
            _ if paths.iter().any(is_table) => {
                bail!(
                    "a Parquet file of pictures is read alone; call the program once for each, with a folder of its own"
                )
            }
            _ if columns.iter().any(Option::is_some) => {
                bail!(
                    "--picture-column and --key-column are columns of a Parquet file; none is given as PATH"
                )
            }
            _ => {}
        }
        Ok(Self::Files(Inputs::of(paths)?))
    }
}

impl Table {
    fn open(path: &Path, [image, key]: [Option<&str>; 2]) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let names = file.names();
        let choose = |named: Option<&str>, usual: &[&str], option: &str| -> Result<String> {
            let wanted = named.map_or_else(|| usual.to_vec(), |name| vec![name]);
            let found = wanted.iter().find(|name| names.contains(name));
            found.map(|name| (*name).to_owned()).with_context(|| {
                format!(
                    "{} has no column {}; name one with {option} (it has {})",
                    path.display(),
                    wanted.join(", "),
                    names.join(", ")
                )
            })
        };
        let image = choose(image, &["image", "bytes", "picture", "content"], "--picture-column")?;
        let key = choose(key, &["key", "id", "path", "name"], "--key-column")?;
        let rows = file.rows();
        let mut digest = Sha256::new();
        digest.update(format!("{image}\0{key}\0").as_bytes());
        digest.update(end_of(path).with_context(|| format!("{} cannot be read", path.display()))?);
        Ok(Self { path: path.to_owned(), rows, image, key, hash: hexadecimal(&digest.finalize()) })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// SHA-256 over the columns and the end of the file.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// So many images from the one at `first`.
    pub fn items(&self, first: usize, rows: usize) -> Result<Box<dyn Iterator<Item = Result<Item>> + Send>> {
        let file = ParquetFile::open(&self.path)?;
        let of = |name: &str| format!("the column {name} of {}", self.path.display());
        // As Hugging Face's data sets keep images: a struct of bytes and path.
        let image = file.column(&[&self.image]).or_else(|| file.column(&[&self.image, "bytes"]));
        let image = image.filter(|column| column.of_bytes);
        let image =
            image.with_context(|| format!("{} holds no bytes, and no field `bytes`", of(&self.image)))?;
        let key = file.column(&[&self.key]);
        let key = key.with_context(|| format!("{} has no text form", of(&self.key)))?;
        let (mut images, mut keys) = (file.cells(image, first), file.cells(key, first));
        let mut left = rows;
        let mut batch = move || -> Result<Vec<Item>> {
            let wanted = BATCH.min(left);
            left -= wanted;
            let item = |(key, image): (Cell, Cell)| Item {
                key: key.text().unwrap_or_default(),
                data: image.bytes().map_or(Data::Missing, Data::Bytes),
            };
            Ok(keys.read(wanted)?.into_iter().zip(images.read(wanted)?).map(item).collect())
        };
        let batches = std::iter::from_fn(move || match batch() {
            Ok(items) if items.is_empty() => None,
            Ok(items) => Some(items.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => Some(vec![Err(error)]),
        });
        Ok(Box::new(batches.flatten()))
    }
}

fn end_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = length.to_le_bytes().to_vec();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A digest in hexadecimal digits.
pub fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
