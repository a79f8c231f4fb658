//! Which images of a list already have their rows: shards are gone on with, and new images of a growing archive get shards of their own.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament_data::columns::ParquetFile;
use sha2::{Digest, Sha256};

use super::roots::Roots;
use super::source::{List, Listed};

/// Rows that are read at once.
const BATCH: usize = 4096;

/// An image as it is looked up: sixteen bytes of a hash, since a list may hold millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; 16]);

impl Id {
    pub fn of(real: &Path) -> Self {
        let mut id = [0; 16];
        let digest = Sha256::digest(real.as_os_str().as_encoded_bytes());
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

/// The shards of a folder by their numbers.
pub fn shards(folder: &Path) -> Result<BTreeMap<usize, PathBuf>> {
    let cannot = || format!("{} cannot be read", folder.display());
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("shard-").and_then(|name| name.strip_suffix(".parquet"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.insert(number, path);
        }
    }
    Ok(found)
}

/// Numbers that no shard has, from 0 on.
pub fn free_numbers(shards: &BTreeMap<usize, PathBuf>) -> impl Iterator<Item = usize> + '_ {
    (0..).filter(|number| !shards.contains_key(number))
}

/// The name of a shard.
pub fn name(number: usize) -> String {
    format!("shard-{number:06}.parquet")
}

/// What names of files begin with that are made of the image at `row`, from 0 on, of a shard.
pub fn stem(number: usize, row: usize) -> PathBuf {
    PathBuf::from(format!("shard-{number:06}")).join(format!("{row:06}"))
}

/// The images that have no rows yet, in the order of the list; refuses a list that has nothing to do with the shards.
pub fn missing(
    folder: &Path,
    shards: &BTreeMap<usize, PathBuf>,
    List { images: listed, roots, covers, .. }: List,
) -> Result<Vec<Listed>> {
    let mut done = HashSet::new();
    for path in shards.values() {
        add_rows(path, &roots, &mut done)?;
    }
    if done.is_empty() {
        return Ok(listed);
    }
    let ids: HashSet<Id> = listed.iter().map(|image| image.id).collect();
    // The same folders, from which images may have gone; or a list that holds at least all that is there.
    if !covers && !done.is_subset(&ids) {
        bail!(
            "the shards in {} are of other pictures; give another folder, or the pictures of that run, to which new ones may have come",
            folder.display()
        );
    }
    Ok(listed.into_iter().filter(|image| !done.contains(&image.id)).collect())
}

/// Adds the images of a shard's rows.
fn add_rows(path: &Path, roots: &Roots, done: &mut HashSet<Id>) -> Result<()> {
    let file = ParquetFile::open(path)?;
    let column = file.column(&["path"]).with_context(|| format!("{} has no column path", path.display()))?;
    let mut cells = file.cells(column, 0);
    let mut last = String::new();
    loop {
        let read = cells.read(BATCH)?;
        if read.is_empty() {
            return Ok(());
        }
        for key in read.into_iter().filter_map(lineament_data::columns::Cell::text) {
            // The faces of an image follow each other.
            if key != last {
                done.insert(Id::of(&roots.of_row(&key)));
                last = key;
            }
        }
    }
}
