//! How predictions are written; one format a file.

mod csv;
mod json;
mod landmarks;
mod parquet;
mod text;

pub use parquet::Table as Parquet;
pub use text::percent;

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Result, bail};
use lineament::{FaceRecord, Prediction, Tagger, path_text};

use crate::arguments::{CompressionName, FormatName};
use crate::files::Sink;
use crate::model;
use crate::outputs::Kind;
use crate::summary::Summary;
use crate::terminal::Colours;

/// What all predictions of a run have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Names of the attributes of each face, in their order; none where only boxes are asked for.
    pub attributes: Vec<String>,
    /// Whether the attributes were chosen by name: then absent ones are shown, too.
    pub chosen: bool,
    /// Whether faces come with landmarks and pose.
    pub landmarks: bool,
    /// The name, version and short hash of the model.
    pub model_label: String,
}

impl Header {
    /// Of predictions with the attributes that the tagger selects.
    pub fn of(tagger: &Tagger, chosen: bool) -> Self {
        let attributes = tagger.selected_attributes().map(|attribute| attribute.name.clone()).collect();
        Self { attributes, chosen, landmarks: tagger.answers_landmarks(), model_label: model::label(tagger) }
    }
}

/// Writes predictions as they come.
pub trait PredictionWriter {
    /// Writes one.
    fn write(&mut self, prediction: &Prediction) -> Result<()>;
    /// Writes that an image could not be read, where the format has a place for it.
    fn write_unread(&mut self, path: &Path, reason: &str) -> Result<()>;
    /// Writes what comes last, and closes the output.
    fn finish(self: Box<Self>, summary: &Summary) -> Result<()>;
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
            Self::Text => Kind::Text,
            Self::Json => Kind::Json,
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
    if format == FormatName::Parquet && output.is_none() && io::stdout().is_terminal() {
        bail!("Parquet is not for terminals; write it to a file with --output FILE");
    }
    Ok(format)
}

/// A writer to standard output or a file.
pub fn writer(
    format: FormatName,
    output: Option<&Path>,
    header: Header,
    compression: CompressionName,
) -> Result<Box<dyn PredictionWriter>> {
    let sink = Sink::open(output)?;
    let colours = match output {
        None => Colours::of(&io::stdout()),
        Some(_) => Colours::NONE,
    };
    Ok(match format {
        FormatName::Text => Box::new(text::Text::new(sink, header, colours)),
        FormatName::Json => Box::new(json::Array::new(sink)),
        FormatName::Jsonl => Box::new(json::Lines::new(sink)),
        FormatName::Csv => Box::new(csv::Table::new(sink, &header)?),
        FormatName::Parquet => Box::new(parquet::Table::new(sink, &header, compression)?),
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
        Header { attributes, chosen, landmarks: false, model_label: "compact 1.0.0 (0123abcd)".to_owned() }
    }

    fn face(x: f32, score: f32, attributes: [(f32, bool); 4]) -> FaceRecord {
        let named = NAMES.iter().zip(attributes);
        let attribute = |(&name, (probability, present)): (&&str, (f32, bool))| Attribute {
            name: name.into(),
            present,
            probability,
        };
        FaceRecord {
            rect: Rect::new(x, 58.26, 108.92, 131.0),
            score,
            roll: None,
            landmarks: None,
            pose: None,
            attributes: named.map(attribute).collect(),
        }
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
            Prediction { path, width: 512, height: 480, faces, faces_left_out }
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
        let mut writer = writer(format, Some(&path), header, CompressionName::Zstd).unwrap();
        predictions.iter().for_each(|prediction| writer.write(prediction).unwrap());
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
