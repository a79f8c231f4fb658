//! Where LNets found the face of each photo: the regions that ANet learns from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lineament::attributes::Region;
use lineament::locate::Localizer;
use lineament::{Limits, Photo, Rect, Search};
use rayon::prelude::*;

use crate::checkpoint::write_whole;
use crate::error::TrainError;

/// The dominant face of every photo in which one was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Located {
    found: HashMap<PathBuf, Rect>,
    /// Whether what was found is the image itself.
    full: bool,
}

impl Located {
    /// The face found in a photo.
    pub fn get(&self, path: &Path) -> Option<Rect> {
        self.found.get(&absolute(path)).copied()
    }

    /// The square that ANet sees of a photo.
    pub fn region(&self, path: &Path, rule: &Region) -> Option<Rect> {
        let rect = self.get(path)?;
        if self.full { Region::around(rect).ok() } else { rule.of_box(rect).ok() }
    }

    /// The same, where what was found is known to be (or not to be) the images themselves.
    pub fn of_full_images(self, full: bool) -> Self {
        Self { full, ..self }
    }

    /// Photos with a face.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether no face was found anywhere.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Looks for the dominant face in every photo.
    ///
    /// # Errors
    /// When a photo can't be read or a net can't be run.
    pub fn find(localizer: &dyn Localizer, paths: &[PathBuf]) -> Result<Self, TrainError> {
        let found = paths
            .par_iter()
            .map(|path| {
                let photo = Photo::open(path, &Limits::default())
                    .map_err(|source| TrainError::Photo { path: path.clone(), source })?;
                let faces = localizer
                    .locate(&photo, &Search::default())
                    .map_err(|e| TrainError::Net(e.to_string()))?;
                Ok(faces.first().map(|face| (absolute(path), face.rect)))
            })
            .collect::<Result<Vec<_>, TrainError>>()?;
        Ok(Self { found: found.into_iter().flatten().collect(), full: false })
    }

    /// Writes them as CSV, sorted by path.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let mut rows: Vec<_> = self.found.iter().collect();
        rows.sort_by_key(|(path, _)| *path);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |e: csv::Error| TrainError::io(path, std::io::Error::other(e));
        for (image, rect) in rows {
            let numbers = [rect.x, rect.y, rect.width, rect.height].map(|v| v.to_string());
            let mut row = vec![image.to_string_lossy().into_owned()];
            row.extend(numbers);
            writer.write_record(row).map_err(failed)?;
        }
        let bytes =
            writer.into_inner().map_err(|e| TrainError::io(path, std::io::Error::other(e.to_string())))?;
        Ok(write_whole(path, &bytes)?)
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let failed = |e: csv::Error| TrainError::io(path, std::io::Error::other(e));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).map_err(failed)?;
        let mut found = HashMap::new();
        for row in reader.deserialize::<(String, f32, f32, f32, f32)>() {
            let (image, x, y, width, height) = row.map_err(failed)?;
            found.insert(absolute(Path::new(&image)), Rect { x, y, width, height });
        }
        Ok(Self { found, full: false })
    }
}

/// A run that goes on from another folder names the same photos otherwise.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
