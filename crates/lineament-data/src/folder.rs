//! A folder of images without faces: the negatives of "there is a face here".

use std::path::Path;

use crate::error::DataError;
use crate::images;
use crate::sample::{Dataset, Framing, Sample};
use crate::split::SplitShares;

/// Reads all images in a folder and below it as photos without a face; names are paths relative to the folder. Splits are drawn by
/// name.
///
/// # Errors
/// Where the folder is missing, cannot be read or holds no image.
pub fn read(dir: &Path) -> Result<Dataset, DataError> {
    if !dir.is_dir() {
        return Err(DataError::missing(dir, "a folder of pictures without faces is expected there"));
    }
    let mut set = Dataset::new(images::set_name(dir, "folder"));
    for path in images::below(dir, &mut set.report)? {
        let name = relative(&path, dir);
        let mut sample = Sample::new(path, name, Framing::Photo);
        sample.face = Some(false);
        set.samples.push(sample);
    }
    if set.samples.is_empty() {
        return Err(DataError::no_images(
            dir,
            "a folder of .jpg, .png, .webp, .gif, .bmp or .tif files is expected",
        ));
    }
    // Thresholds at one false alarm in a hundred need hundreds of images to be chosen and checked on.
    set.draw_splits_in(SplitShares { validation: 0.3, test: 0.2 });
    Ok(set)
}

/// A path below `dir`, with forward slashes on every system so that splits drawn by name agree.
pub(crate) fn relative(path: &Path, dir: &Path) -> String {
    let path = path.strip_prefix(dir).unwrap_or(path);
    let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
