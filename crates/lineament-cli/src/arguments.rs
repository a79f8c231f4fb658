//! What can be typed: the commands, and the arguments that several of them share. Those of one command stand with it.

use std::path::{Path, PathBuf};

use crate::outputs::{ForceArguments, Kind};
use crate::{commands, examples};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lineament::attributes::OperatingPoint;
use lineament::{Limits, Selection, SmallestFace, Tagger};
use lineament_data::{Dataset, FindingKind, Layout, Split};
use lineament_lab::FaceFrom;

/// Finds faces in photos and reads forty attributes of each.
///
/// Results go to standard output, everything else to standard error. Exit status: 0 when every image was read, 1 when some
/// could not be, 2 when the call was wrong or nothing could be done.
#[derive(Debug, Parser)]
#[command(name = "lineament", version, max_term_width = 100, after_help = examples::LINEAMENT)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Say nothing on standard error but what failed or could not be read
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Millions of pixels of an image at most; larger ones are refused from their headers
    #[arg(long, global = true, value_name = "MP", default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_pixels: u32,
}

impl Arguments {
    /// What an image may have at most.
    pub fn limits(&self) -> Limits {
        Limits { max_pixels: u64::from(self.max_pixels) * 1_000_000, ..Limits::BUILT_IN }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the faces in photos and their attributes
    #[command(after_help = examples::PREDICT)]
    Predict(commands::predict::PredictArguments),
    /// Find the faces in photos, without their attributes
    #[command(after_help = examples::LOCATE)]
    Locate(commands::locate::LocateArguments),
    /// Measure for whom a model errs, how far it can be believed, and which labels to look at again
    #[command(after_help = examples::AUDIT)]
    Audit(commands::audit::AuditArguments),
    /// Measure two models on the same labelled images: which is better, on whom, and where they disagree
    #[command(after_help = examples::COMPARE)]
    Compare(commands::compare::CompareArguments),
    /// Fit a model's thresholds and probabilities to your own labelled images
    ///
    /// Nets and scores stay as they are. What the change is worth is measured on people who were left out of the fit; an attribute that would not
    /// become better on them stays as it is.
    #[command(after_help = examples::CALIBRATE)]
    Calibrate(commands::calibrate::CalibrateArguments),
    /// Look at data that is to be trained on
    #[command(subcommand)]
    Data(commands::data::DataCommand),
    /// Show which regions and neurons the attributes of faces rest on
    #[command(after_help = examples::EXPLAIN)]
    Explain(commands::explain::ExplainArguments),
    /// Write one page on what a model's nets know, with an audit
    #[command(after_help = examples::INSIGHT)]
    Insight(commands::insight::InsightArguments),
    /// Measure a model on labelled images
    #[command(after_help = examples::EVALUATE)]
    Evaluate(commands::evaluate::EvaluateArguments),
    /// Train a model on tagged images
    #[command(after_help = examples::TRAIN)]
    Train(commands::train::TrainArguments),
    /// Run the paper's experiments and write what came out
    #[command(after_help = examples::REPRODUCE)]
    Reproduce(commands::reproduce::ReproduceArguments),
    /// Teach a model a custom attribute from a few photos
    ///
    /// The nets stay as they are: a linear SVM is trained on their embedding of each face. Twenty photos with the attribute and twenty without
    /// are enough to try. Its accuracy is measured on held-out photos and reported; where nothing was learned, no model is written. An
    /// attribute is a label that people give to photos, not a fact about a person.
    #[command(after_help = examples::TEACH)]
    Teach(commands::teach::TeachArguments),
    /// Write the model in use to a file
    #[command(after_help = examples::EXPORT)]
    Export(commands::export::ExportArguments),
    /// Show or verify a model
    #[command(subcommand)]
    Model(commands::model::ModelCommand),
    /// Draw a small set of faces to try training on
    ///
    /// Writes drawn faces in CelebA's layout (un-cropped and aligned, with tags, identities, boxes and landmarks), classes of drawn objects,
    /// and images without a face. The same seed draws the same images.
    #[command(after_help = examples::DRAW)]
    Draw(commands::draw::DrawArguments),
    /// Write what a shell needs to complete commands and options
    #[command(after_help = examples::COMPLETIONS)]
    Completions(commands::shell::CompletionsArguments),
    /// Write the manual
    #[command(after_help = examples::MAN)]
    Man(commands::shell::ManArguments),
    /// Answer over HTTP, with a page for people at /
    #[command(after_help = examples::SERVE)]
    Serve(commands::serve::ServeArguments),
    /// Write a page that finds faces in the browser itself, for any host of files
    ///
    /// The folder holds the page of `serve`, the model as one graph, and onnxruntime-web, which npm fetches and which is checked against a
    /// hash. No photo leaves the browser. After the first visit the page works without a network.
    #[command(after_help = examples::PAGE)]
    Page(commands::page::PageArguments),
}

#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The model to use [default: the one this program carries]
    #[arg(long, value_name = "BUNDLE")]
    pub model: Option<PathBuf>,
}

/// What trainings compute on.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "train"), allow(dead_code, reason = "read by builds with the feature `train`"))]
pub struct DeviceArguments {
    /// What to compute on: cpu, wgpu (Vulkan, Metal or DirectX) or cuda (NVIDIA); `wgpu:1` is the second of its kind
    ///
    /// GPUs need a build with the feature `wgpu` or `cuda`. A run that was begun on one device goes on on another.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
}

#[cfg(feature = "train")]
impl DeviceArguments {
    /// Opens it, and says what it is if it is no processor.
    ///
    /// # Errors
    /// When there is no such device, or this build cannot use it.
    pub fn open(&self) -> anyhow::Result<lineament_train::device::TrainingDevice> {
        use lineament_train::device::{DeviceName, TrainingDevice};

        let device = TrainingDevice::open(self.device.parse()?)?;
        if device.name() != DeviceName::Cpu {
            crate::notes::note(format!("computing on {device}"));
        }
        Ok(device)
    }
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
    /// Find faces with a detector of others instead of the model's LNets: `yunet`, which is compiled in, or an ONNX file with the outputs of
    /// YuNet or UltraFace. Detectors learned from boxes
    #[arg(long, value_name = "yunet|FILE")]
    pub detector: Option<PathBuf>,
}

impl RunArguments {
    /// Files that are read for it, where they were named.
    pub fn files(&self) -> [Option<&PathBuf>; 2] {
        [self.model.model.as_ref(), self.detector.as_ref()]
    }
}

/// Which faces are looked for.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SearchArguments {
    /// Height of the smallest face that is looked for: pixels (24, 24px) or a share of the photo's longer side (2.5%) [default: 2.5%, and
    /// 16px at least]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub smallest_face: Option<SmallestFace>,
    /// The best N faces of a photo alone; how many more were found is said [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_faces: Option<u32>,
    /// Look for faces that lie on their side or stand on their head, too: finding faces takes about four times as long
    #[arg(long)]
    pub any_orientation: bool,
}

impl SearchArguments {
    /// The search as it is selected; what was not typed is left as it is.
    pub fn selection(&self) -> Selection {
        Selection {
            smallest_face: self.smallest_face,
            max_faces: self.max_faces.map(|most| most as usize),
            any_orientation: self.any_orientation.then_some(true),
            ..Selection::default()
        }
    }

    /// The tagger with this search.
    pub fn of(&self, tagger: &Tagger) -> lineament::Result<Tagger> {
        tagger.with(&self.selection())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// This program's own forward pass
    Native,
    /// The same with convolutions in eight-bit integers: half the time on processors with VNNI instructions, somewhat more on others; answers differ in a few of a thousand
    Int8,
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
pub struct ImageArguments {
    /// Images, folders (walked), patterns, or - for a list of paths on standard input
    ///
    /// In folders, files are taken by their extension; a file that is named is always tried.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// How results are written [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Write results to a file (of --format yolo: a folder), whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArguments,
    /// How Parquet is compressed
    #[arg(long, value_enum, default_value = "snappy")]
    pub compression: CompressionName,
    /// What stands before each picture's name in COCO and Label Studio [default: nothing, and /data/local-files/?d=]
    #[arg(long, value_name = "TEXT")]
    pub image_prefix: Option<String>,
    /// End with status 0 though some images could not be read; they are named all the same
    #[arg(long)]
    pub skip_unreadable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionName {
    /// Fast, and read by everything
    Snappy,
    /// Smaller
    Zstd,
    /// Not at all
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people
    Text,
    /// One array, an object an image
    Json,
    /// A line of JSON an image, as soon as it is there
    Jsonl,
    /// A row a face: path, width, height, face (from 1), x, y, box_width, box_height, score, roll, faces_left_out, error, crop and embedding_row where they were asked for, then NAME and NAME_probability for each attribute, then with --quality that, with --landmarks x and y of each, yaw and pitch, and with --least-quality faces_of_low_quality
    Csv,
    /// The same columns but error, typed
    Parquet,
    /// COCO: one object with images, annotations (box, score, attributes, landmarks as keypoints) and the category `face`
    Coco,
    /// YOLO: a folder with labels/, images/ (links) and data.yaml, one class
    Yolo,
    /// Tasks for Label Studio with predictions; its labelling page goes beside the file, as NAME.config.xml
    LabelStudio,
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

/// What is measured, and how.
#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// The part of the data that is reported [default: test; all of a table without a column `split`]
    #[arg(long, value_enum)]
    pub split: Option<SplitName>,
    /// Where face regions come from
    #[arg(long, value_enum, default_value = "located")]
    pub region: RegionName,
    /// What the model's thresholds are chosen for
    #[arg(long, value_enum, default_value = "accuracy")]
    pub operating_point: PointName,
}

impl MeasureArguments {
    /// The part that is reported of this data.
    pub fn part(&self, layout: Layout, data: &Dataset) -> Split {
        // Nobody has learned from a table of one's own.
        let own = layout == Layout::Table && data.report.count(FindingKind::SplitsDrawn) > 0;
        match self.split {
            Some(name) => name.into(),
            None if own => Split::All,
            None => Split::Test,
        }
    }
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
    /// All parts
    All,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Validation => Self::Validation,
            SplitName::Test => Self::Test,
            SplitName::All => Self::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegionName {
    /// Found in the un-cropped photos; a missed face counts as the majority answer
    Located,
    /// Given by the landmarks of the aligned images
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

impl FigureFormat {
    /// The format that was asked for, or that the output's name ends in, or text.
    pub fn choose(asked: Option<Self>, output: Option<&Path>) -> Self {
        let by_name = || match output.and_then(Kind::named) {
            Some(Kind::Json) => Self::Json,
            _ => Self::Text,
        };
        asked.unwrap_or_else(by_name)
    }

    /// What a file of this format holds.
    pub fn kind(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::Json => Kind::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
