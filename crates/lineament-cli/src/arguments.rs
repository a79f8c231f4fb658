//! What can be typed.

use std::path::PathBuf;

use crate::commands::reproduce::ReproduceArguments;
use crate::commands::shell::{CompletionsArguments, ManArguments};
use crate::commands::teach::TeachArguments;
use crate::examples;
use crate::shards::ShardArguments;
use crate::xmp::Library;
use clap::{Args, Parser, Subcommand, ValueEnum};
use lineament::attributes::OperatingPoint;
use lineament_data::{Layout, Split};
use lineament_lab::FaceFrom;

/// Finds faces in photos and tells forty attributes of each.
///
/// Results go to standard output, everything else to standard error. Exit status: 0 when every picture was read, 1 when some
/// could not be, 2 when the call was wrong or nothing could be done.
#[derive(Debug, Parser)]
#[command(name = "lineament", version, max_term_width = 100, after_help = examples::LINEAMENT)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell the faces in pictures and their attributes
    #[command(after_help = examples::PREDICT)]
    Predict(PredictArguments),
    /// Tell where the faces in pictures are, without their attributes
    #[command(after_help = examples::LOCATE)]
    Locate(LocateArguments),
    /// Measure for whom a model errs, how far it can be believed, and which labels to look at again
    #[command(after_help = examples::AUDIT)]
    Audit(crate::commands::audit::AuditArguments),
    /// Tell which places and neurons the attributes of faces rest on
    #[command(after_help = examples::EXPLAIN)]
    Explain(crate::commands::explain::ExplainArguments),
    /// Write one page on what a model's nets found out, with an audit
    #[command(after_help = examples::INSIGHT)]
    Insight(crate::commands::insight::InsightArguments),
    /// Measure a model on labelled pictures
    #[command(after_help = examples::EVALUATE)]
    Evaluate(EvaluateArguments),
    /// Train a model on tagged pictures
    #[command(after_help = examples::TRAIN)]
    Train(TrainArguments),
    /// Run the paper's experiments and write what came out
    #[command(after_help = examples::REPRODUCE)]
    Reproduce(ReproduceArguments),
    /// Teach a model attributes of one's own from a few pictures
    ///
    /// The nets stay as they are: a linear SVM learns on what they see of each face. Twenty pictures with the attribute and twenty without are
    /// enough to try. What it is worth is measured on pictures that were left out, and said; where nothing was learned, no model is written.
    /// An attribute is a label that people give to pictures, no fact about a person.
    #[command(after_help = examples::TEACH)]
    Teach(TeachArguments),
    /// Write the model in use to a file
    #[command(after_help = examples::EXPORT)]
    Export(ExportArguments),
    /// Show or verify a model
    #[command(subcommand)]
    Model(ModelCommand),
    /// Draw a small set of faces to try training on
    ///
    /// Writes drawn faces in CelebA's layout (un-cropped and aligned, with tags, identities, boxes and landmarks), classes of drawn objects,
    /// and pictures without a face. The same seed draws the same pictures.
    #[command(after_help = examples::DRAW)]
    Draw(DrawArguments),
    /// Write what a shell needs to complete commands and options
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Write the manual
    #[command(after_help = examples::MAN)]
    Man(ManArguments),
    /// Answer over HTTP, with a page for people at /
    #[command(after_help = examples::SERVE)]
    Serve(crate::commands::serve::ServeArguments),
}

#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The model to use [default: the one this program carries]
    #[arg(long, value_name = "BUNDLE")]
    pub model: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ThreadArguments {
    /// Threads to work on [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

impl ThreadArguments {
    /// How many.
    pub fn count(&self) -> usize {
        let own = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(own, usize::from)
    }
}

#[derive(Debug, Args)]
pub struct EngineArguments {
    /// What the nets are run on
    #[arg(long, value_enum, default_value = "native")]
    pub engine: EngineName,
    /// The library of ONNX Runtime [default: what ORT_DYLIB_PATH names, or what the system finds]
    #[arg(long, value_name = "FILE")]
    pub engine_library: Option<PathBuf>,
    /// What ONNX Runtime computes with [default: cpu]
    #[arg(long, value_enum, value_name = "NAME")]
    pub engine_provider: Option<ProviderName>,
}

/// The model, and what it is run on.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub model: ModelArguments,
    #[command(flatten)]
    pub threads: ThreadArguments,
    #[command(flatten)]
    pub engine: EngineArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// This program's own forward pass
    Native,
    /// ONNX Runtime on the exported nets (builds with the feature `ort`)
    Ort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProviderName {
    Cpu,
    Cuda,
    Tensorrt,
    Openvino,
    Coreml,
    Directml,
}

#[derive(Debug, Args)]
pub struct PictureArguments {
    /// Pictures, folders (walked), patterns, or - for a list of paths on standard input
    ///
    /// In folders, files are taken by their extension; a file that is named is always tried.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// How results are written [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Write results to a file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people
    Text,
    /// One array, an object a picture
    Json,
    /// A line of JSON a picture, as soon as it is there
    Jsonl,
    /// A row a face: path, width, height, face (from 1), x, y, box_width, box_height, score, then NAME and NAME_probability for each attribute
    Csv,
    /// The same columns, typed
    Parquet,
}

#[derive(Debug, Args)]
pub struct PredictArguments {
    #[command(flatten)]
    pub pictures: PictureArguments,
    /// Only these attributes, in this order, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub attributes: Option<Vec<String>>,
    /// Call an attribute present from this probability on, instead of the model's own thresholds
    #[arg(long, value_name = "P", value_parser = probability, conflicts_with = "operating_point")]
    pub threshold: Option<f32>,
    /// What the model's own thresholds are chosen for
    #[arg(long, value_enum, default_value = "accuracy")]
    pub operating_point: PointName,
    /// Write a copy of each picture with its faces marked to this folder, as NAME.faces.png
    #[arg(long, value_name = "DIR")]
    pub annotate: Option<PathBuf>,
    /// Write keywords and face regions to an XMP sidecar beside each picture, named as this library expects [default: digikam]
    ///
    /// The picture is not touched. A sidecar that is there is merged: only what an earlier run wrote is replaced. A picture without a face gets no
    /// sidecar.
    #[arg(long, value_enum, value_name = "LIBRARY", num_args = 0..=1, require_equals = true, default_missing_value = "digikam")]
    pub xmp: Option<Library>,
    #[command(flatten)]
    pub shards: ShardArguments,
    #[command(flatten)]
    pub run: RunArguments,
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("give a probability between 0 and 1, such as 0.5".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PointName {
    /// As many right answers as possible
    Accuracy,
    /// Presence and absence count the same, however rare an attribute is
    Balanced,
}

impl From<PointName> for OperatingPoint {
    fn from(name: PointName) -> Self {
        match name {
            PointName::Accuracy => Self::Accuracy,
            PointName::Balanced => Self::Balanced,
        }
    }
}

#[derive(Debug, Args)]
pub struct LocateArguments {
    #[command(flatten)]
    pub pictures: PictureArguments,
    /// Write a copy of each picture with its faces marked to this folder, as NAME.faces.png
    #[arg(long, value_name = "DIR")]
    pub annotate: Option<PathBuf>,
    /// Write the response map of LNet_o over each picture to this folder, as NAME.map.png
    #[arg(long, value_name = "DIR")]
    pub maps: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArguments,
}

/// What is measured, and how.
#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// The part of the data that is reported
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitName,
    /// Where face regions come from
    #[arg(long, value_enum, default_value = "located")]
    pub region: RegionName,
    /// What the model's thresholds are chosen for
    #[arg(long, value_enum, default_value = "accuracy")]
    pub operating_point: PointName,
}

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Labelled pictures: a folder in CelebA's or LFW's layout, or a CSV or Parquet table
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The layout of the data [default: told from what is there]
    #[arg(long, value_enum)]
    pub layout: Option<LayoutName>,
    #[command(flatten)]
    pub measure: MeasureArguments,
    /// A folder of pictures without a face, to count false alarms in (with --region located or --report): of those, the part
    /// that --split names; which picture is in which part follows from its name
    #[arg(long, value_name = "DIR")]
    pub background: Option<PathBuf>,
    /// Measure both regions and both operating points, and write all figures to this Markdown file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How figures are written
    #[arg(long, value_enum, default_value = "text")]
    pub format: FigureFormat,
    /// Write figures to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutName {
    /// Anno/list_attr_celeba.txt, Eval/list_eval_partition.txt, Img/
    Celeba,
    /// A folder a person
    Lfw,
    /// A CSV or Parquet file with a column for the path and one for each attribute
    Csv,
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::Celeba => Self::Celeba,
            LayoutName::Lfw => Self::Lfw,
            LayoutName::Csv => Self::Table,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    /// What models learn from (CelebA's partition 0)
    Train,
    /// What thresholds are chosen on (partition 1)
    #[value(alias = "val")]
    Validation,
    /// What figures are reported of (partition 2)
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Validation => Self::Validation,
            SplitName::Test => Self::Test,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegionName {
    /// Found in the un-cropped photos; a missed face counts as the majority answer
    Located,
    /// Given by the landmarks of the aligned pictures
    Landmarks,
}

impl From<RegionName> for FaceFrom {
    fn from(name: RegionName) -> Self {
        match name {
            RegionName::Located => Self::Located,
            RegionName::Landmarks => Self::Landmarks,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureFormat {
    /// For people
    Text,
    /// One object
    Json,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "train"), allow(dead_code, reason = "read by builds with the feature `train`"))]
pub struct TrainArguments {
    /// A recipe by name (compact, paper, lab, drawn, facetracer, panda) or its file; with --from it says how ANet and the SVMs learn
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "from")]
    pub recipe: Option<String>,
    /// Begin from the nets of a finished model, and fine-tune them: its file, or `default` for the one this program carries
    ///
    /// The data may hold any attributes, of faces or of other things.
    #[arg(long, value_name = "BUNDLE")]
    pub from: Option<PathBuf>,
    /// Where to look in pictures that were not cropped around a face
    #[arg(long, value_enum, default_value = "auto", requires = "from")]
    pub region: LookName,
    /// Find faces with a detector of others, YuNet or UltraFace as an ONNX file, instead of learning to; it becomes part of the model
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub detector: Option<PathBuf>,
    /// Attributes that are not to be learned, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Pictures to learn from; give it once for each folder or table
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// The folder for logs, checkpoints and the finished model
    #[arg(long, short, value_name = "RUN")]
    pub output: PathBuf,
    /// Go on with a run that was stopped
    #[arg(long)]
    pub resume: bool,
    /// Only this stage
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    #[command(flatten)]
    pub threads: ThreadArguments,
}

/// Where ANet looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LookName {
    /// At the face, if the model finds one in at least half of the pictures; else at the whole picture
    Auto,
    /// At the face that the model finds
    Located,
    /// At the whole picture, whatever is on it
    Whole,
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ExportArguments {
    /// Write the model in use, as one safetensors file with its card
    #[arg(long, value_name = "OUT", required_unless_present = "onnx")]
    pub bundle: Option<PathBuf>,
    /// Write the nets and the attribute half as ONNX to this folder, with a README.md that says how to use them
    #[arg(long, value_name = "DIR")]
    pub onnx: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelArguments,
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show a model's card: nets, attributes, what it learnt from, how it scored, its licence
    #[command(after_help = examples::SHOW)]
    Show(ShowArguments),
    /// Check a model's file from the first byte to the last, and that it answers
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The model [default: the one this program carries]
    #[arg(value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// How the card is written
    #[arg(long, value_enum, default_value = "text")]
    pub format: FigureFormat,
    #[command(flatten)]
    pub model: ModelArguments,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The model [default: the one this program carries]
    #[arg(value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// The SHA-256 that the file must have
    #[arg(long, value_name = "HASH")]
    pub sha256: Option<String>,
    #[command(flatten)]
    pub model: ModelArguments,
}

#[derive(Debug, Args)]
pub struct DrawArguments {
    /// The folder to draw into
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// How many people are drawn
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    pub people: u32,
    /// Pictures of each of them
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pictures: u32,
    /// Another seed draws other people
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn probabilities_are_between_zero_and_one() {
        assert_eq!(probability("0.25"), Ok(0.25));
        for wrong in ["-0.1", "1.5", "NaN", "half"] {
            assert!(probability(wrong).is_err(), "{wrong}");
        }
    }
}
