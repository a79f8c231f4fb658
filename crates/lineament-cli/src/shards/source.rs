//! The images of a sharded run: a list of files, or a Parquet file with a column of bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use lineament::{Limits, Photo};
use lineament_data::columns::{Cell, ParquetFile};
use sha2::{Digest, Sha256};

use crate::inputs::Inputs;

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
    Files(Vec<PathBuf>),
    Table(Table),
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
    /// Lists the images of the paths, each file once; `columns` are those of images and keys, where they were named.
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
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for input in Inputs::of(paths)? {
            // What could not be listed now might be later, and every shard would hold other images.
            let input = input.map_err(|unread| anyhow!("the pictures cannot be listed: {}", unread.0))?;
            if seen.insert(input.path.clone()) {
                files.push(input.path);
            }
        }
        if files.is_empty() {
            bail!("no picture was found; check the folder");
        }
        Ok(Self::Files(files))
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Table(table) => table.rows,
        }
    }

    /// SHA-256 over the names of the files, or over the columns and the end of the table.
    pub fn hash(&self) -> String {
        match self {
            Self::Files(files) => {
                let mut digest = Sha256::new();
                for file in files {
                    digest.update(file.as_os_str().as_encoded_bytes());
                    // No name has this byte.
                    digest.update([0]);
                }
                hexadecimal(&digest.finalize())
            }
            Self::Table(table) => table.hash.clone(),
        }
    }

    /// So many images from the one at `first`.
    pub fn items(
        &self,
        first: usize,
        rows: usize,
    ) -> Result<Box<dyn Iterator<Item = Result<Item>> + Send + '_>> {
        Ok(match self {
            Self::Files(files) => {
                let item = |path: &PathBuf| {
                    Ok(Item { key: path.to_string_lossy().into_owned(), data: Data::File(path.clone()) })
                };
                Box::new(files.iter().skip(first).take(rows).map(item))
            }
            Self::Table(table) => table.items(first, rows)?,
        })
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

    fn items(&self, first: usize, rows: usize) -> Result<Box<dyn Iterator<Item = Result<Item>> + Send>> {
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
