//! `lineament predict`: faces and their attributes.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use lineament::{Error, Photo, Selection, Tagger};

use super::Outcome;
use super::stream::{self, Extras, Images};
use crate::arguments::{ImageArguments, PointName, RunArguments, SearchArguments};
use crate::crops::{CropArguments, Crops};
use crate::embeddings::Embeddings;
use crate::format::Header;
use crate::model;
use crate::outputs;
use crate::shards::{Settings, ShardArguments, Shards, Work};
use crate::xmp::Library;

#[derive(Debug, Args)]
pub struct PredictArguments {
    #[command(flatten)]
    pub images: ImageArguments,
    /// Only these attributes, in this order, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub attributes: Option<Vec<String>>,
    /// Call an attribute present from this probability on, instead of the model's own thresholds
    #[arg(long, value_name = "P", value_parser = probability, conflicts_with = "operating_point")]
    pub threshold: Option<f32>,
    /// What the model's own thresholds are chosen for
    #[arg(long, value_enum, default_value = "accuracy")]
    pub operating_point: PointName,
    /// Write a copy of each image with its faces marked to this folder, as NAME.faces.png
    #[arg(long, value_name = "DIR")]
    pub annotate: Option<PathBuf>,
    /// Write keywords and face regions to an XMP sidecar beside each image, named as this library expects [default: digikam]
    ///
    /// The image is not touched. A sidecar that is there is merged: only what an earlier run wrote is replaced. An image without a face gets no
    /// sidecar.
    #[arg(long, value_enum, value_name = "LIBRARY", num_args = 0..=1, require_equals = true, default_missing_value = "digikam")]
    pub xmp: Option<Library>,
    /// Answer with eyes, nose and corners of the mouth, and which way each face looks
    #[arg(long)]
    pub landmarks: bool,
    #[command(flatten)]
    pub trust: TrustArguments,
    #[command(flatten)]
    pub crops: CropArguments,
    /// Write the embedding of each face: a column of lists in Parquet and shards, or an array in FILE (.npy, .safetensors) beside any format
    ///
    /// It is the vector that attributes are read from, of single floats. Rows and objects of faces say under `embedding_row` which row of FILE
    /// is theirs. An embedding describes attributes; it does not tell people apart.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub embeddings: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub search: SearchArguments,
    #[command(flatten)]
    pub shards: ShardArguments,
    #[command(flatten)]
    pub run: RunArguments,
}

/// How far answers are trusted.
#[derive(Debug, Args)]
pub struct TrustArguments {
    /// Answer with each face's quality: how much of all attributes is expected to be right, 0 to 1 (0.9 of an ordinary portrait)
    ///
    /// It is about all attributes of the model at its own thresholds for accuracy, whatever else is asked for.
    #[arg(long)]
    pub quality: bool,
    /// Leave out faces whose quality is lower than this, such as 0.85; what is left out is counted
    #[arg(long, value_name = "Q", value_parser = probability)]
    pub least_quality: Option<f32>,
    /// Give no answer, neither yes nor no, where it would be right with a lower probability than this, such as 0.9
    ///
    /// Null in JSON and Parquet, empty in CSV, left out of COCO, `?` in text where attributes are chosen. YOLO has no attributes; Label Studio's
    /// form has no place for it.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub abstain: Option<f32>,
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("give a probability between 0 and 1, such as 0.5".to_owned()),
    }
}

pub fn run(arguments: PredictArguments) -> Result<Outcome> {
    let shards = Shards::check(&arguments.shards, &arguments.images)?;
    let force = arguments.images.force;
    let named: Vec<PathBuf> = arguments.images.paths.iter().filter(|path| !path.is_dir()).cloned().collect();
    let images = Images::check(arguments.images, &arguments.run)?;
    let embeddings = Embeddings::check(
        arguments.embeddings,
        shards.is_some() || images.is_table(),
        force,
        &outputs::named(&named, arguments.run.files()),
    )?;
    if shards.is_some() && matches!(embeddings, Some(Embeddings::File(..))) {
        bail!("shards hold embeddings themselves; give --embeddings without a file");
    }
    let crops = arguments.crops.crops();
    let chosen = arguments.attributes.is_some();
    let selection = Selection {
        attributes: arguments.attributes,
        operating_point: Some(arguments.operating_point.into()),
        threshold: arguments.threshold,
        landmarks: arguments.landmarks.then_some(true),
        embeddings: Some(embeddings.is_some()),
        quality: arguments.trust.quality.then_some(true),
        least_quality: arguments.trust.least_quality,
        abstain: arguments.trust.abstain,
        ..arguments.search.selection()
    };
    let tagger = select(&model::ready_to_find(&arguments.run)?, &selection)?;
    let header = Header::of(&tagger, chosen);
    let predict = |photo: &Photo| tagger.predict(photo);
    if let Some(shards) = shards {
        let settings = Settings {
            model: tagger.hash().to_owned(),
            detector: model::detector_hash(&arguments.run)?,
            engine: tagger.engine().to_string(),
            attributes: header.attributes.clone(),
            threshold: tagger.threshold(),
            operating_point: format!("{:?}", tagger.operating_point()).to_lowercase(),
            smallest_face: tagger.search().smallest_face.map(|smallest| smallest.to_string()),
            max_faces: tagger.search().max_faces,
            any_orientation: tagger.search().any_orientation,
            landmarks: tagger.answers_landmarks().then_some(true),
            quality: tagger.answers_quality().then_some(true),
            least_quality: tagger.least_quality(),
            abstain: Some(tagger.abstain()).filter(|least| *least > 0.0),
            embeddings: embeddings.is_some().then(|| tagger.embedding_length()),
            crops: crops.as_ref().map(Crops::settings),
        };
        return shards.write(
            &header,
            settings,
            Work { threads: tagger.threads(), card: tagger.card(), predict: &predict, crops, force },
        );
    }
    let extras = Extras {
        annotate: arguments.annotate,
        xmp: arguments.xmp,
        crops,
        embeddings,
        ..Extras::none(tagger.card())
    };
    stream::write(images, &header, tagger.threads(), predict, &extras)
}

/// The tagger with the attributes that were typed.
pub fn select(tagger: &Tagger, selection: &Selection) -> Result<Tagger> {
    tagger.with(selection).map_err(|error| match error {
        Error::Landmarks(_) | Error::Quality(_) => error.into(),
        _ => anyhow::Error::from(error).context("--attributes cannot be understood"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_between_zero_and_one() {
        assert_eq!(probability("0.25"), Ok(0.25));
        for wrong in ["-0.1", "1.5", "NaN", "half"] {
            assert!(probability(wrong).is_err(), "{wrong}");
        }
    }
}
