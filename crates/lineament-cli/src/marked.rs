//! Images that are made of images: written with a mark, by which a later run knows them and does not take them for photos.

use std::path::Path;

use anyhow::{Context, Result};
use lineament::{Encoding, Photo};
use lineament_data::walk::{self, MADE_BY};

use crate::files;
use crate::outputs::ForceArguments;

/// Writes an image; what is there under this name is replaced where an earlier run made it. Else, without `--force`, it stays,
/// and what comes back says so.
pub fn save(photo: &Photo, path: &Path, encoding: Encoding, force: ForceArguments) -> Result<Option<String>> {
    if let Some(folder) = path.parent() {
        files::make_folder(folder)?;
    }
    let holds = std::fs::metadata(path).is_ok_and(|known| known.is_file() && known.len() > 0);
    if holds && !force.force && !walk::is_made_here(path) {
        return Ok(Some(format!(
            "{} is there already and was not made by this program; give another folder, or --force to replace it",
            path.display()
        )));
    }
    let bytes =
        photo.encode(encoding, MADE_BY).with_context(|| format!("{} cannot be encoded", path.display()))?;
    files::write_whole(path, &bytes)?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use lineament::Limits;

    #[test]
    fn an_image_that_was_made_here_is_known_again_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let photo = Photo::filled(9, 7, [1, 2, 3]);
        let path = folder.path().join("deep/a.faces.png");
        let save = |photo: &Photo, path: &Path, force| save(photo, path, Encoding::Png, force);
        assert_eq!(save(&photo, &path, ForceArguments::default()).unwrap(), None);
        assert!(walk::is_made_here(&path));
        assert_eq!(Photo::open(&path, &Limits::default()).unwrap().pixels(), photo.pixels());
        assert_eq!(save(&photo, &path, ForceArguments::default()).unwrap(), None, "its own copy");
        photo.save_png(&path).unwrap();
        assert!(!walk::is_made_here(&path));
        let kept = save(&photo, &path, ForceArguments::default()).unwrap().unwrap();
        assert!(kept.contains("a.faces.png") && kept.contains("--force"), "{kept}");
        assert_eq!(save(&photo, &path, ForceArguments { force: true }).unwrap(), None);
    }

    #[test]
    fn a_jpeg_is_known_again_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.face-1.jpg");
        let photo = Photo::filled(20, 20, [9, 99, 199]);
        assert_eq!(save(&photo, &path, Encoding::Jpeg, ForceArguments::default()).unwrap(), None);
        assert!(!walk::is_no_result(&path), "a later run passes it over");
        assert!(Photo::open(&path, &Limits::default()).is_ok());
        // The same pixels by another program.
        std::fs::write(&path, photo.encode(Encoding::Jpeg, "Another").unwrap()).unwrap();
        assert!(walk::is_no_result(&path));
    }
}
