//! Settings of a tagger, before it is one.

use std::fmt;
use std::path::PathBuf;

use super::nets::Changes;
use super::{FaceOptions, Nets, Tagger};
use crate::attributes::{FeatureExtractor, OperatingPoint};
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::error::Result;
use crate::locate::{DetectorFile, Search, SmallestFace};
use crate::photo::Limits;
use crate::selection::{Reader, Selection};
use crate::threads::Threads;

/// Makes a [`Tagger`]; see [`Tagger::builder`].
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TaggerBuilder {
    model: Model,
    engine: Engine,
    extractor: Brought,
    threads: Option<usize>,
    selection: Selection,
    detector: Option<DetectorFile>,
    least_score: Option<f32>,
    limits: Limits,
}

/// An extractor of the program's own.
#[derive(Default)]
struct Brought(Option<Box<dyn FeatureExtractor>>);

impl fmt::Debug for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}

/// Where the nets come from.
#[derive(Debug, Default)]
enum Model {
    #[default]
    Embedded,
    File(PathBuf),
    Bundle(Box<Bundle>),
}

impl TaggerBuilder {
    /// The nets of this bundle, instead of the default model.
    pub fn bundle(self, bundle: Bundle) -> Self {
        Self { model: Model::Bundle(Box::new(bundle)), ..self }
    }

    /// The nets of the bundle in this file, instead of the default model.
    pub fn model_file(self, path: impl Into<PathBuf>) -> Self {
        Self { model: Model::File(path.into()), ..self }
    }

    /// What the nets run on, instead of [`Engine::Native`].
    pub fn engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// An extractor that the program brings along, for bundles whose card names a
    /// [`CustomExtractor`](crate::attributes::CustomExtractor): made of its settings and the bundle's weights. Bundles with ANet
    /// need none, and do not use it.
    pub fn extractor(self, extractor: Box<dyn FeatureExtractor>) -> Self {
        Self { extractor: Brought(Some(extractor)), ..self }
    }

    /// Threads of the tagger's own, at most `count` whoever calls; 0 is one for each processor that may be used. All of
    /// its work is done there.
    ///
    /// Left out, work is done on the rayon pool that each call comes from, rayon's global pool if it comes from none: right
    /// for programs that spread their own work with rayon, and for those that make many taggers. A pool of its own is
    /// faster for single images where it has all processors, since its threads then stay on one each.
    pub fn threads(self, count: usize) -> Self {
        Self { threads: Some(count), ..self }
    }

    /// Only these attributes, in this order; a name that comes twice counts once.
    pub fn attributes<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let attributes = Some(names.into_iter().map(Into::into).collect());
        Self { selection: Selection { attributes, ..self.selection }, ..self }
    }

    /// What the model's own thresholds are chosen for, instead of [`OperatingPoint::Accuracy`].
    pub fn operating_point(self, point: OperatingPoint) -> Self {
        Self { selection: Selection { operating_point: Some(point), ..self.selection }, ..self }
    }

    /// The probability from which on an attribute is present, instead of the model's own thresholds.
    pub fn threshold(self, probability: f32) -> Self {
        Self { selection: Selection { threshold: Some(probability), ..self.selection }, ..self }
    }

    /// The height of the smallest face that is looked for, instead of
    /// [`SmallestFace::usual_height_in`]; work grows with the square of how much smaller it is.
    pub fn smallest_face(self, smallest: SmallestFace) -> Self {
        Self { selection: Selection { smallest_face: Some(smallest), ..self.selection }, ..self }
    }

    /// How many faces of an image are answered at most, the best, instead of all of them.
    /// [`Prediction::faces_left_out`](crate::Prediction::faces_left_out) counts those that this cuts.
    pub fn max_faces(self, count: usize) -> Self {
        Self { selection: Selection { max_faces: Some(count), ..self.selection }, ..self }
    }

    /// Whether faces are also found that lie on their side or stand on their head, for about four times the work of finding
    /// candidates. Without it a head may be tilted by some 45 degrees.
    pub fn any_orientation(self, any: bool) -> Self {
        Self { selection: Selection { any_orientation: Some(any), ..self.selection }, ..self }
    }

    /// Whether faces are answered with their quality, for models that tell it.
    pub fn quality(self, wanted: bool) -> Self {
        Self { selection: Selection { quality: Some(wanted), ..self.selection }, ..self }
    }

    /// The quality, 0 to 1, below which faces are left out.
    pub fn least_quality(self, least: f32) -> Self {
        Self { selection: Selection { least_quality: Some(least), ..self.selection }, ..self }
    }

    /// How likely an answer must be right to be given, 0 to 1; others are unknown.
    pub fn abstain(self, least: f32) -> Self {
        Self { selection: Selection { abstain: Some(least), ..self.selection }, ..self }
    }

    /// Whether faces are answered with their landmarks and pose, for models that know them.
    pub fn landmarks(self, wanted: bool) -> Self {
        Self { selection: Selection { landmarks: Some(wanted), ..self.selection }, ..self }
    }

    /// Whether each face comes with the vector that its attributes are read from: [`FaceRecord::embedding`](crate::FaceRecord::embedding).
    pub fn embeddings(self, wanted: bool) -> Self {
        Self { selection: Selection { embeddings: Some(wanted), ..self.selection }, ..self }
    }

    /// A detector of others that finds the faces instead of the model's LNets. It learned from boxes, and the tagger's card says so; regions
    /// of faces follow its boxes.
    ///
    /// ```no_run
    /// use lineament::{Tagger, locate::DetectorFile};
    ///
    /// let tagger = Tagger::builder().detector(DetectorFile::open("yunet.onnx")?).build()?;
    /// # Ok::<(), lineament::Error>(())
    /// ```
    pub fn detector(self, detector: DetectorFile) -> Self {
        Self { detector: Some(detector), ..self }
    }

    /// From which score on something is a face, instead of the model's own threshold: for curves over all scores, and for photos in
    /// which no face may be missed. What a localizer leaves out before it decides stays out.
    pub fn least_score(self, score: f32) -> Self {
        Self { least_score: Some(score), ..self }
    }

    /// What an image may have at most to be read, instead of [`Limits::default`].
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Reads the model and makes its nets ready to run.
    ///
    /// # Errors
    /// A model that cannot be read or that the engine refuses, an attribute that it does not know, a threshold that is no
    /// probability, or more threads than the system starts.
    pub fn build(self) -> Result<Tagger> {
        let bundle = match self.model {
            Model::Embedded => Bundle::embedded()?,
            Model::File(path) => Bundle::open(&path)?,
            Model::Bundle(bundle) => *bundle,
        };
        // Planning the nets takes time: what is cheap to refuse is refused first.
        let reader = Reader::of_all(bundle.card()).with(&self.selection, bundle.card())?;
        let threads = match self.threads {
            Some(count) => Threads::new(count, &self.engine)?,
            None => Threads::of_caller(),
        };
        let search = self.selection.search(Search::default());
        let changes =
            Changes { extractor: self.extractor.0, detector: self.detector, least_score: self.least_score };
        let nets = Nets::new(bundle, self.engine, changes)?;
        let face_options = FaceOptions::default().with(&self.selection, &nets)?;
        Ok(Tagger { nets: nets.into(), reader, search, face_options, limits: self.limits, threads })
    }
}
