//! How predictions are written; one format a file.

mod answer;
mod coco;
mod csv;
mod datasets;
mod json;
mod label_studio;
mod numbers;
mod parquet;
mod text;
mod yolo;

pub use answer::{Answer, AnsweredFace, EmbeddingColumn, Extras};
pub use numbers::Numbers;
pub use parquet::Table as Parquet;
pub use text::percent;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Result, bail};
use lineament::{FaceRecord, Prediction, Tagger, path_text};

use crate::arguments::{CompressionName, FormatName};
use crate::files::Sink;
use crate::model;
use crate::outputs::{ForceArguments, Kind};
use crate::summary::Summary;
use crate::terminal::Colours;

/// What all predictions of a run have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Names of the attributes of each face, in their order; none where only boxes are asked for.
    pub attributes: Vec<String>,
    /// Whether the attributes were chosen by name: then absent ones are shown, too.
    pub chosen: bool,
    /// Which numbers faces come with.
    pub numbers: Numbers,
    /// Whether faces of a low quality are left out.
    pub least_quality: bool,
    /// Whether answers can be unknown.
    pub abstains: bool,
    /// The name, version and short hash of the model.
    pub model_label: String,
    /// SHA-256 of the model's file.
    pub model_hash: String,
    /// What else each face has.
    pub extras: Extras,
    /// Length of an embedding.
    pub embedding_length: usize,
}

impl Header {
    /// Of predictions with the attributes that the tagger selects.
    pub fn of(tagger: &Tagger, chosen: bool) -> Self {
        let attributes = tagger.selected_attributes().map(|attribute| attribute.name.clone()).collect();
        Self {
            attributes,
            chosen,
            numbers: Numbers::of(tagger),
            least_quality: tagger.least_quality().is_some(),
            abstains: tagger.abstain() > 0.0,
            model_label: model::label(tagger),
            model_hash: tagger.hash().to_owned(),
            extras: Extras::default(),
            embedding_length: tagger.embedding_length(),
        }
    }

    /// Columns behind the attributes: numbers of a face, and then of its image.
    fn last_columns(&self) -> impl Iterator<Item = &'static str> {
        self.numbers.columns().chain(self.least_quality.then_some(numbers::LOW_QUALITY))
    }

    /// The same with what else each face has.
    pub fn with(self, extras: Extras) -> Self {
        Self { extras, ..self }
    }
}

/// Writes predictions as they come.
pub trait PredictionWriter {
    /// Writes one.
    fn write(&mut self, answer: &Answer) -> Result<()>;
    /// Writes that an image could not be read, where the format has a place for it.
    fn write_unread(&mut self, path: &Path, reason: &str) -> Result<()>;
    /// Writes what comes last, and closes the output.
    fn finish(self: Box<Self>, summary: &Summary) -> Result<()>;
}

/// Refuses attributes that are called as another column.
fn check_columns<'a>(columns: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut known = BTreeSet::new();
    match columns.into_iter().find(|name| !known.insert(*name)) {
        Some(twice) => bail!(
            "two columns would be called {twice}, since an attribute of the model is: choose attributes without it with --attributes, or a format \
             without columns, such as JSON"
        ),
        None => Ok(()),
    }
}

/// What a prediction is called in a table.
fn path(prediction: &Prediction) -> Cow<'_, str> {
    prediction.path.as_deref().map_or(Cow::Borrowed(""), path_text::to_text)
}

/// How a face is turned, in degrees to a tenth, where that is known.
fn roll(face: &FaceRecord) -> Option<String> {
    // Without the sign of a zero.
    face.roll.map(|roll| format!("{:.1}", (10.0 * roll).round() / 10.0 + 0.0))
}

impl FormatName {
    /// What a file of this format holds.
    pub fn kind(self) -> Kind {
        match self {
            Self::Text | Self::Yolo => Kind::Text,
            Self::Json | Self::Coco | Self::LabelStudio => Kind::Json,
            Self::Jsonl => Kind::JsonLines,
            Self::Csv => Kind::Csv,
            Self::Parquet => Kind::Parquet,
        }
    }
}

/// The format that was asked for, or that the output's name ends in, or text.
pub fn choose(asked: Option<FormatName>, output: Option<&Path>) -> Result<FormatName> {
    let by_name = || match output.and_then(Kind::named)? {
        Kind::Json => Some(FormatName::Json),
        Kind::JsonLines => Some(FormatName::Jsonl),
        Kind::Csv => Some(FormatName::Csv),
        Kind::Parquet => Some(FormatName::Parquet),
        _ => None,
    };
    let format = asked.or_else(by_name).unwrap_or(FormatName::Text);
    if format == FormatName::Yolo && output.is_none() {
        bail!("YOLO's form is a folder; give it with --output DIR");
    }
    if format == FormatName::Parquet && output.is_none() && io::stdout().is_terminal() {
        bail!("Parquet is not for terminals; write it to a file with --output FILE");
    }
    Ok(format)
}

/// Refuses a folder that something else is in, or that lies in one of the folders that are read.
pub use yolo::check as check_folder;

/// What a format's files are like beside their form.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    pub compression: CompressionName,
    /// What stands before the name of each image in data sets.
    pub image_prefix: Option<&'a str>,
    pub force: ForceArguments,
}

/// A writer to standard output, a file or a folder.
pub fn writer(
    format: FormatName,
    output: Option<&Path>,
    header: Header,
    Style { compression, image_prefix, force }: Style<'_>,
) -> Result<Box<dyn PredictionWriter>> {
    if let (FormatName::Yolo, Some(folder)) = (format, output) {
        return Ok(Box::new(yolo::Folder::new(folder, &header)?));
    }
    if format == FormatName::LabelStudio && header.abstains {
        bail!(
            "a choice that is not made says no in Label Studio, and none says unknown; leave --abstain out"
        );
    }
    let sink = Sink::open(output)?;
    let colours = match output {
        None => Colours::of(&io::stdout()),
        Some(_) => Colours::NONE,
    };
    Ok(match format {
        FormatName::Text => Box::new(text::Text::new(sink, header, colours)),
        FormatName::Json => Box::new(json::Array::new(sink, header.extras)),
        FormatName::Jsonl => Box::new(json::Lines::new(sink, header.extras)),
        FormatName::Csv => Box::new(csv::Table::new(sink, &header)?),
        FormatName::Parquet => Box::new(parquet::Table::new(sink, &header, compression)?),
        FormatName::Coco => Box::new(coco::Coco::new(sink, &header, image_prefix.unwrap_or_default())?),
        FormatName::LabelStudio => {
            let prefix = image_prefix.unwrap_or(label_studio::LOCAL_FILES);
            Box::new(label_studio::Tasks::new(sink, header, prefix, output, force)?)
        }
        FormatName::Yolo => bail!("YOLO's form is a folder; give it with --output DIR"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use lineament::{Attribute, Attributes, Rect};

    const NAMES: [&str; 4] = ["Bald", "Smiling", "Wearing_Hat", "Young"];

    fn header(chosen: bool) -> Header {
        let attributes = NAMES.map(str::to_owned).to_vec();
        Header {
            attributes,
            chosen,
            numbers: Numbers::default(),
            least_quality: false,
            abstains: false,
            model_label: "compact 1.0.0 (0123abcd)".to_owned(),
            model_hash: "0123abcd".repeat(8),
            extras: Extras::default(),
            embedding_length: 3,
        }
    }

    fn face(x: f32, score: f32, attributes: [(f32, bool); 4]) -> FaceRecord {
        let named = NAMES.iter().zip(attributes);
        let attribute = |(&name, (probability, present)): (&&str, (f32, bool))| Attribute {
            name: name.into(),
            present,
            unknown: false,
            probability,
        };
        let face = lineament::Face::new(Rect::new(x, 58.26, 108.92, 131.0), score);
        FaceRecord { attributes: named.map(attribute).collect(), ..(&face).into() }
    }

    fn predictions() -> [Prediction; 3] {
        let probabilities = [0.000_012, 0.974_361, 0.52, 0.61];
        let some = |x, score| {
            let [bald, smiling, hat, young] = probabilities;
            face(x, score, [(bald, false), (smiling, true), (hat, false), (young, true)])
        };
        let nobody = face(7.0, 0.04, probabilities.map(|probability| (probability, false)));
        let turned = FaceRecord { roll: Some(-12.345), ..some(-3.5, 1.0) };
        let of = |path: &str, faces, faces_left_out| {
            let path = Some(path.into());
            Prediction { path, ..Prediction::new([512, 480], faces, faces_left_out, None) }
        };
        [
            of("a.jpg", vec![some(171.0, 0.981_23), nobody], 0),
            of("b, \"c\".png", vec![], 0),
            of("d.png", vec![turned], 2),
        ]
    }

    fn without_attributes() -> [Prediction; 3] {
        predictions().map(|mut prediction| {
            prediction.faces.iter_mut().for_each(|face| face.attributes = Attributes::default());
            prediction
        })
    }

    fn written(format: FormatName, header: Header, predictions: &[Prediction]) -> String {
        String::from_utf8(bytes(format, header, predictions)).unwrap()
    }

    fn bytes(format: FormatName, header: Header, predictions: &[Prediction]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let (compression, force) = (CompressionName::Zstd, ForceArguments::default());
        let style = Style { compression, image_prefix: None, force };
        let mut writer = writer(format, Some(&path), header, style).unwrap();
        for prediction in predictions {
            writer.write(&Answer::new(prediction.clone(), String::new())).unwrap();
        }
        writer.write_unread(Path::new("e.jpg"), "e.jpg is cut off").unwrap();
        assert!(!path.exists(), "not there before it is whole");
        let mut summary = Summary { unread: 1, ..Summary::default() };
        predictions.iter().for_each(|prediction| summary.add(prediction));
        writer.finish(&summary).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn text() {
        insta::assert_snapshot!("text", written(FormatName::Text, header(false), &predictions()));
        insta::assert_snapshot!(
            "text_of_chosen_attributes",
            written(FormatName::Text, header(true), &predictions())
        );
    }

    #[test]
    fn json() {
        insta::assert_snapshot!("json", written(FormatName::Json, header(false), &predictions()));
        assert_eq!(written(FormatName::Json, header(false), &[]), "[]\n");
        let bare = Header { attributes: Vec::new(), ..header(false) };
        insta::assert_snapshot!("jsonl_of_boxes", written(FormatName::Jsonl, bare, &without_attributes()));
    }

    #[test]
    fn csv() {
        insta::assert_snapshot!("csv", written(FormatName::Csv, header(false), &predictions()));
    }

    #[test]
    fn parquet_has_rolls_where_they_are_known() {
        use ::parquet::file::reader::{FileReader, SerializedFileReader};
        use ::parquet::record::Field;

        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &bytes(FormatName::Parquet, header(false), &predictions())).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let cells = reader.get_row_iter(None).unwrap().map(|row| {
            let row: std::collections::BTreeMap<_, _> = row.unwrap().into_columns().into_iter().collect();
            (row["roll"].clone(), row["faces_left_out"].clone())
        });
        let upright = (Field::Null, Field::UInt(0));
        let turned = (Field::Float(-12.345), Field::UInt(2));
        assert_eq!(cells.collect::<Vec<_>>(), [upright.clone(), upright, turned]);
    }

    #[test]
    fn the_name_of_the_output_tells_the_format() {
        let by_name = |name: &str| choose(None, Some(Path::new(name))).unwrap();
        assert_eq!(by_name("a.jsonl"), FormatName::Jsonl);
        assert_eq!(by_name("a.parquet"), FormatName::Parquet);
        assert_eq!(by_name("a"), FormatName::Text);
        assert_eq!(choose(Some(FormatName::Csv), Some(Path::new("a.json"))).unwrap(), FormatName::Csv);
    }
}
