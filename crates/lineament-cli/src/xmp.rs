//! XMP sidecars: what photo libraries (digiKam, Lightroom) read beside an image. The image itself is never touched.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use lineament::{FaceRecord, Limits, Photo};
use lineament_xmp::{Area, Message, Region, fresh, merge};

use crate::files;

/// The largest sidecar that is read; those of photo libraries have some kilobytes.
const MOST_BYTES: u64 = 16 << 20;

/// Whose sidecars these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Library {
    /// photo.jpg.xmp, with digiKam's own tree of tags
    Digikam,
    /// photo.xmp
    Lightroom,
}

impl Library {
    /// Where the sidecar of an image is.
    pub fn sidecar(self, image: &Path) -> PathBuf {
        match self {
            Self::Digikam => {
                let mut name = image.as_os_str().to_owned();
                name.push(".xmp");
                PathBuf::from(name)
            }
            Self::Lightroom => image.with_extension("xmp"),
        }
    }
}

/// Writes or merges the sidecar of an image; where nothing changes, or nothing is to be said, no file is touched.
pub fn write(
    library: Library,
    image: &Path,
    photo: &Photo,
    faces: &[FaceRecord],
    model_label: &str,
) -> Result<()> {
    let path = library.sidecar(image);
    let message = message(library, image, photo, faces, model_label)?;
    let there = read(&path)?;
    let text = match &there {
        Some(text) => merge(text, &message).with_context(|| {
            format!("the sidecar {} cannot be merged and is left as it is; mend or remove it", path.display())
        })?,
        None if message.keywords.is_empty() && message.regions.is_empty() => return Ok(()),
        None => fresh(&message)?,
    };
    if there.as_deref() == Some(text.as_str()) {
        return Ok(());
    }
    files::write_whole(&path, text.as_bytes())
}

fn message(
    library: Library,
    image: &Path,
    photo: &Photo,
    faces: &[FaceRecord],
    model_label: &str,
) -> Result<Message> {
    let orientation = Photo::orientation(image, &Limits::default())?;
    let present = |face: &FaceRecord| -> Vec<String> {
        face.present().map(|attribute| attribute.name.to_string()).collect()
    };
    let mut keywords: Vec<String> = Vec::new();
    for name in faces.iter().flat_map(present) {
        if !keywords.contains(&name) {
            keywords.push(name);
        }
    }
    let (width, height) = (photo.width(), photo.height());
    let region = |face: &FaceRecord| {
        let area = Area::upright(face.rect, width, height)?.stored(orientation);
        Some(Region { area, attributes: present(face) })
    };
    Ok(Message {
        keywords,
        regions: faces.iter().filter_map(region).collect(),
        stored: if orientation >= 5 { [height, width] } else { [width, height] },
        model_label: model_label.to_owned(),
        digikam: library == Library::Digikam,
    })
}

fn read(path: &Path) -> Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    if fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        bail!("{} is no file, so that no sidecar can be written; remove it", path.display());
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!(
            "the sidecar {} has more than {} MB and is left as it is: that is no sidecar",
            path.display(),
            MOST_BYTES >> 20
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => {
            bail!("the sidecar {} is not in UTF-8 and is left as it is; save it as UTF-8", path.display())
        }
    }
}
