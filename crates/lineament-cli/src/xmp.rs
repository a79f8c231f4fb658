//! XMP sidecars: what photo libraries (digiKam, Lightroom) read beside an image. The image itself is never touched.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use lineament::{FaceRecord, Limits, Photo};
use lineament_xmp::{Area, Embedded, Message, Region, carried, is_only_ours, merge};

use crate::files;

/// The largest sidecar that is read; those of photo libraries have some kilobytes.
const MOST_BYTES: u64 = 16 << 20;

/// Whose sidecars these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Library {
    /// photo.jpg.xmp, with digiKam's own tree of tags; darktable and Immich read it, too
    Digikam,
    /// photo.xmp; Lightroom itself reads it beside raw files alone, and reads other photos' own metadata instead
    Lightroom,
}

impl Library {
    /// Where the sidecar of an image is: one that is there, by either convention, or else one as this library names it.
    pub fn sidecar(self, image: &Path) -> PathBuf {
        let named =
            |path: PathBuf| -> [PathBuf; 2] { [path.with_extension("xmp"), path.with_extension("XMP")] };
        let mut behind = image.as_os_str().to_owned();
        behind.push(".xmp");
        let (behind, instead) = (named(PathBuf::from(behind)), named(image.to_owned()));
        let (own, other) = match self {
            Self::Digikam => (&behind, &instead),
            Self::Lightroom => (&instead, &behind),
        };
        let is_there = |path: &&PathBuf| path.symlink_metadata().is_ok();
        // Beside photo.jpg and photo.cr2, photo.xmp is of the raw file, or of nobody knows which.
        let may_be_its =
            |path: &&PathBuf| path.as_path() != instead[0] && path.as_path() != instead[1] || is_alone(image);
        let there = own.iter().find(is_there).or_else(|| other.iter().filter(is_there).find(may_be_its));
        there.unwrap_or(&own[0]).clone()
    }
}

/// Whether no other image of that name stands beside, with another ending.
fn is_alone(image: &Path) -> bool {
    let folder = image.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = folder.read_dir() else { return true };
    let is_twin = |other: &Path| {
        let known = ["xmp", "txt", "json", "thm", "aae", "mov", "mp4", "wav", "pp3", "dop"];
        let is_image =
            other.extension().is_some_and(|e| !known.iter().any(|known| e.eq_ignore_ascii_case(known)));
        is_image && other.file_stem() == image.file_stem() && other.file_name() != image.file_name()
    };
    !entries.filter_map(Result::ok).any(|entry| is_twin(Path::new(&entry.file_name())))
}

/// Writes or merges the sidecar of an image; where nothing changes, or nothing is to be said, no file is touched.
pub fn write(
    library: Library,
    path: &Path,
    image: &Path,
    photo: &Photo,
    faces: &[FaceRecord],
    model_label: &str,
) -> Result<()> {
    let message = message(library, image, photo, faces, model_label)?;
    let cannot =
        || format!("the sidecar {} cannot be merged and is left as it is; mend or remove it", path.display());
    let there = read(path)?;
    let base = match &there {
        Some(text) if !is_only_ours(text).with_context(cannot)? => text.clone(),
        None if message.keywords.is_empty() && message.regions.is_empty() => return Ok(()),
        // Who finds a sidecar reads it alone: it says all that the photo says.
        _ => embedded(image)?,
    };
    let text = merge(&base, &message).with_context(cannot)?;
    if there.as_deref() == Some(text.as_str()) {
        return Ok(());
    }
    files::write_whole(path, text.as_bytes())
}

/// A sidecar that says what is embedded in an image.
fn embedded(image: &Path) -> Result<String> {
    let bytes = fs::read(image).with_context(|| format!("{} cannot be read", image.display()))?;
    carried(&Embedded::read(&bytes)).context(
        "the XMP in the picture cannot be understood, and a sidecar would hide it: none is written; mend it with exiftool",
    )
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
