//! Images that are made of images: written with a mark, by which a later run knows them and does not take them for photos.

use std::path::Path;

use anyhow::{Context, Result};
use lineament::Photo;
use lineament_data::walk::{self, MADE_BY};

use crate::files;
use crate::outputs::ForceArguments;

/// Writes a PNG; what is there under this name is replaced where an earlier run made it. Else, without `--force`, it stays,
/// and what comes back says so.
pub fn save(photo: &Photo, path: &Path, force: ForceArguments) -> Result<Option<String>> {
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
    let bytes = encoded(photo).with_context(|| format!("{} cannot be encoded", path.display()))?;
    files::write_whole(path, &bytes)?;
    Ok(None)
}

fn encoded(photo: &Photo) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, photo.width(), photo.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // As the encoder of the crate `image` is set.
    encoder.set_compression(png::Compression::Fast);
    encoder.add_text_chunk("Software".to_owned(), MADE_BY.to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(photo.pixels())?;
    writer.finish()?;
    Ok(bytes)
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
}
