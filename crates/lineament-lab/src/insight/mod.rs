//! What a net found out (paper, section 4.2, Figs. 8 to 11): which layers and neurons know which attribute, how few of them do, which attributes
//! go together; with mean faces, and images explained. [`page`] writes it, with an [`audit`](crate::audit), as one HTML page that stands alone.
//!
//! Whatever is chosen (costs, thresholds, cuts, which neurons are best) is chosen on one part of the data set, by person, and measured on another.

pub mod explained;
pub mod features;
pub mod grouping;
mod hog;
pub mod kinds;
pub mod kmeans;
pub mod layers;
pub mod linkage;
pub mod look;
pub mod mean_faces;
pub mod neurons;
pub mod page;
pub mod pca;
mod probe;
pub mod share;
pub mod single;
pub mod sparse;
pub mod stages;
pub mod tables;

use std::path::PathBuf;

use lineament::{Bundle, OperatingPoint};
use lineament_data::Split;
use rayon::prelude::*;

pub use hog::Hog;

use grouping::AttributeGroups;
use layers::LayerReport;
use look::{Face, Seen};
use mean_faces::{NeuronFaces, TooFew};
use neurons::NeuronReport;
use pca::Pca;
use share::ShareCurve;
use sparse::SparseFigures;

/// Images with an attribute, and without it, that both parts must have for it to be measured.
pub const MEASURABLE: usize = 10;

/// Why there is no insight.
#[derive(Debug, thiserror::Error)]
pub enum InsightError {
    /// No face at all.
    #[error("no face was read in the {split} part: use --region landmarks, or another part")]
    NoFaces {
        /// The part.
        split: Split,
    },
    /// An image that was read once, and then no longer.
    #[error("{}: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A bundle that describes faces in another way.
    #[error("only models that describe faces with ANet can be looked into: this one does not")]
    NoAnet,
    /// Layers that make no net of their own.
    #[error("the bundle's ANet cannot be cut: {0}")]
    Cut(String),
    /// Nothing to learn from.
    #[error(
        "no attribute has {MEASURABLE} pictures with and {MEASURABLE} without it in both parts: give more pictures, or other parts with --fit and --split"
    )]
    NothingToMeasure,
}

/// What insight is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InsightOptions {
    /// Groups of attributes.
    pub groups: usize,
    /// Neurons whose mean faces are shown; 0 for none.
    pub mean_faces: usize,
    /// What answers are read at.
    pub point: OperatingPoint,
    /// Of the folds and of k-means.
    pub seed: u64,
}

/// Everything but the audit.
#[derive(Debug, Clone)]
pub struct Insight {
    /// The model's attributes.
    pub names: Vec<String>,
    /// Images and people that were fitted to and chosen on.
    pub fitted: [usize; 2],
    /// Images and people that are reported.
    pub asked: [usize; 2],
    /// Places of the attributes that are measured.
    pub measured: Vec<usize>,
    /// What each layer knows.
    pub layers: LayerReport,
    /// What each neuron speaks for.
    pub neurons: NeuronReport,
    /// Accuracy against the share kept: FC, then HOG's components.
    pub shares: Vec<ShareCurve>,
    /// Attributes that go together.
    pub groups: AttributeGroups,
    /// Answers made of few neurons.
    pub sparse: Vec<SparseFigures>,
    /// Mean faces of the strongest neurons.
    pub faces: Result<Vec<NeuronFaces>, TooFew>,
}

/// What all parts of the work share.
pub(crate) struct Setting {
    names: Vec<String>,
    /// Attributes with enough labels of both kinds in both parts.
    measured: Vec<usize>,
    /// The fold of every fitted face.
    folds: Vec<usize>,
}

impl Setting {
    /// Something of every measured attribute, side by side.
    fn each<T: Send>(&self, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
        self.measured.par_iter().map(|attribute| of(*attribute)).collect()
    }
}

/// Finds out everything: fitted to and chosen on `fit`, measured on `asked`. The same on any number of threads.
///
/// # Errors
/// [`InsightError::NothingToMeasure`] without enough labels.
pub fn insight(
    bundle: &Bundle,
    fit: &Seen,
    asked: &Seen,
    options: &InsightOptions,
) -> Result<Insight, InsightError> {
    let names: Vec<String> = bundle.card().names().into_iter().map(str::to_owned).collect();
    let enough = |faces: &[Face], attribute: usize| {
        let count =
            |truth| faces.iter().filter(|face| face.tags.get(attribute) == Some(&Some(truth))).count();
        count(true) >= MEASURABLE && count(false) >= MEASURABLE
    };
    let measured: Vec<usize> =
        (0..names.len()).filter(|at| enough(&fit.faces, *at) && enough(&asked.faces, *at)).collect();
    if measured.is_empty() {
        return Err(InsightError::NothingToMeasure);
    }
    let setting = Setting { names, measured, folds: probe::folds(&fit.faces, options.seed) };

    // As many components as neurons, so that shares are shares of equally many.
    let pca = Pca::fit(&fit.hog, fit.fc.width());
    let components = (pca.apply(&fit.hog), pca.apply(&asked.hog));
    let fc_cuts = neurons::cuts(&fit.faces, &fit.fc, &setting.measured);
    let component_cuts = neurons::cuts(&fit.faces, &components.0, &setting.measured);
    let neurons = neurons::report(asked, &fc_cuts, (&component_cuts, &components.1), &setting);
    let shares = vec![
        share::curve("FC neurons", (fit, &fit.fc), (asked, &asked.fc), &fc_cuts, &setting),
        share::curve("HOG+PCA", (fit, &components.0), (asked, &components.1), &component_cuts, &setting),
    ];
    Ok(Insight {
        fitted: [fit.faces.len(), fit.people()],
        asked: [asked.faces.len(), asked.people()],
        layers: layers::compare(fit, asked, &setting),
        faces: match options.mean_faces {
            0 => Ok(Vec::new()),
            most => mean_faces::of_strongest(asked, &neurons.named, most),
        },
        neurons,
        shares,
        groups: grouping::groups(bundle, &fit.fc, options.groups, options.seed),
        sparse: sparse::figures(bundle, &asked.fc, options.point),
        measured: setting.measured,
        names: setting.names,
    })
}
