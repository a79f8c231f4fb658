//! `predict --crops`: each face as an image of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use lineament::crop::{FaceCrop, Framing};
use lineament::{Card, Encoding, Face, Photo, Prediction, path_text};
use serde::Serialize;

use crate::files;
use crate::marked;
use crate::outputs::ForceArguments;

#[derive(Debug, Args)]
pub struct CropArguments {
    /// Write each face to this folder, as NAME.face-1.jpg; rows and objects of faces say under `crop` which file is theirs
    #[arg(long, value_name = "DIR")]
    pub crops: Option<PathBuf>,
    /// How crops lie about faces
    #[arg(long, value_enum, default_value = "aligned", requires = "crops")]
    pub crop_framing: FramingName,
    /// Width and height of crops in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = FaceCrop::default().side, requires = "crops",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(FaceCrop::LARGEST)))]
    pub crop_side: u32,
    /// What is added around a crop on each side, in sides of the face box's square, or of the model's region [default: 0.25, or 0 for
    /// regions]
    #[arg(long, value_name = "SHARE", value_parser = margin, requires = "crops", allow_negative_numbers = true)]
    pub crop_margin: Option<f32>,
    /// What kind of images crops are
    #[arg(long, value_enum, default_value = "jpeg", requires = "crops")]
    pub crop_format: CropFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FramingName {
    /// Turned upright, the face box in the middle
    Aligned,
    /// The region that the model reads attributes from
    Region,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CropFormat {
    /// Small, at quality 95
    Jpeg,
    /// Every pixel as it is
    Png,
}

fn margin(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (-0.4..=4.0).contains(&value) => Ok(value),
        _ => Err("give a share between -0.4 and 4, such as 0.25".to_owned()),
    }
}

/// How crops are made, and where they go.
#[derive(Debug, Clone)]
pub struct Crops {
    pub folder: PathBuf,
    crop: FaceCrop,
    format: CropFormat,
}

/// What a run is bound to of its crops.
#[derive(Debug, Clone, Serialize)]
pub struct CropSettings {
    framing: FramingName,
    side: u32,
    margin: f32,
    format: CropFormat,
}

impl CropArguments {
    /// The crops that were asked for, if any were.
    pub fn crops(&self) -> Option<Crops> {
        let folder = self.crops.clone()?;
        let (framing, usual) = match self.crop_framing {
            FramingName::Aligned => (Framing::Aligned, FaceCrop::default().margin),
            FramingName::Region => (Framing::Region, 0.0),
        };
        let crop = FaceCrop { framing, side: self.crop_side, margin: self.crop_margin.unwrap_or(usual) };
        Some(Crops { folder, crop, format: self.crop_format })
    }
}

impl Crops {
    /// What answers depend on.
    pub fn settings(&self) -> CropSettings {
        let framing = match self.crop.framing {
            Framing::Aligned => FramingName::Aligned,
            Framing::Region => FramingName::Region,
        };
        CropSettings { framing, side: self.crop.side, margin: self.crop.margin, format: self.format }
    }

    /// Writes the crops of an image's faces to `NAME.face-1.jpg` and so on, where `name` is below the folder: what they are called there, and
    /// why some were not written.
    pub fn save(
        &self,
        photo: &Photo,
        prediction: &Prediction,
        card: &Card,
        name: &Path,
        force: ForceArguments,
    ) -> Result<(Vec<Option<String>>, Vec<String>)> {
        let (mut names, mut troubles) = (Vec::new(), Vec::new());
        let encoding = match self.format {
            CropFormat::Jpeg => Encoding::Jpeg,
            CropFormat::Png => Encoding::Png,
        };
        for (number, face) in (1..).zip(&prediction.faces) {
            let mut relative = name.as_os_str().to_owned();
            relative.push(format!(".face-{number}.{}", encoding.ending()));
            let relative = PathBuf::from(relative);
            let saved = match self.crop.draw(photo, &Face::from(face), card) {
                Ok(crop) => marked::save(&crop, &self.folder.join(&relative), encoding, force)?,
                Err(error) => Some(format!("face {number} cannot be cut out: {error}")),
            };
            names.push(saved.is_none().then(|| slashed(&relative)));
            troubles.extend(saved);
        }
        Ok((names, troubles))
    }

    /// Makes the folder.
    pub fn make_folder(&self) -> Result<()> {
        files::make_folder(&self.folder)
    }
}

/// A path as it stands in tables, the same on every system.
pub fn slashed(path: &Path) -> String {
    let text = path_text::to_text(path);
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}
