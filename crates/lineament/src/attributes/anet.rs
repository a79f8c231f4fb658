//! ANet on the patches of a face region, and the SVMs on its FC vectors (paper, sections 2 and 3.2).

use super::describe::DescribeError;
use super::extractor::{Embedding, FeatureExtractor};
use super::face_region::FaceRegion;
use super::patches::{FlipMode, Patches, PatchesError};
use super::svm::mean_vector;
use crate::engine::{Engine, EngineError, Runner};
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::{Interweave, Layer, NetSpec, Shape, Tensor, Weights};

/// Why ANet, its patches and its SVMs do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum AnetError {
    /// The net itself.
    #[error("ANet: {0}")]
    Net(#[from] EngineError),
    /// The patches.
    #[error(transparent)]
    Patches(#[from] PatchesError),
    /// ANet reads images of another size than the patches.
    #[error("ANet reads {input} but the patches are 3x{size}x{size}; give both the same size")]
    Input {
        /// What ANet reads.
        input: Shape,
        /// Side of a patch.
        size: u32,
    },
}

/// ANet with its patches: from a face region to its FC vector.
pub struct Anet {
    net: Runner,
    /// All patches in one pass, where that saves work.
    interweaved: Option<Interweave>,
    preprocess: Preprocess,
    patches: Patches,
    features: usize,
}

impl Anet {
    /// A net that is ready to run.
    ///
    /// # Errors
    /// A spec, weights or patches that are wrong or do not fit each other.
    pub fn new(
        spec: &NetSpec,
        weights: &Weights,
        preprocess: Preprocess,
        patches: Patches,
    ) -> Result<Self, AnetError> {
        Self::on(&Engine::Native, spec, weights, preprocess, patches)
    }

    /// The same on the given engine.
    ///
    /// # Errors
    /// As [`Anet::new`], and where the engine refuses the net.
    pub fn on(
        engine: &Engine,
        spec: &NetSpec,
        weights: &Weights,
        preprocess: Preprocess,
        patches: Patches,
    ) -> Result<Self, AnetError> {
        patches.check()?;
        let net = engine.runner(spec, weights)?;
        let size = patches.size as usize;
        let input = net.input();
        if (input.channels, input.height, input.width) != (3, size, size) {
            return Err(AnetError::Input { input, size: patches.size });
        }
        let features = net.output().elements();
        let interweaved = if engine.own_threads().is_none() { weave(spec, weights, &patches) } else { None };
        Ok(Self { net, interweaved, preprocess, patches, features })
    }

    /// Length of the FC vector.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The patches that it looks at.
    pub fn patches(&self) -> &Patches {
        &self.patches
    }

    /// A square face region as ANet's patches are cut from it: at the side that [`Patches`] states, the head in it upright.
    ///
    /// # Errors
    /// A region without an inside or turned by what is no number, or landmarks in place of one.
    pub fn draw(&self, photo: &Photo, region: &FaceRegion) -> Result<Photo, DescribeError> {
        let (rect, roll) = match *region {
            FaceRegion::Region(rect) => (rect, 0.0),
            FaceRegion::Turned { region, roll } => (region, roll),
            FaceRegion::Landmarks(_) => return Err(DescribeError::NeedsRegion),
        };
        let inside = rect.width > 0.0 && rect.height > 0.0;
        if !inside || !rect.is_finite() || !roll.is_finite() {
            return Err(DescribeError::Region(rect));
        }
        Ok(match roll {
            0.0 => self.patches.draw(photo, rect),
            _ => self.patches.draw_turned(photo, rect, roll),
        })
    }

    /// The mean FC vector over the patches of a square face region of a photo.
    ///
    /// # Errors
    /// As [`Anet::draw`].
    pub fn vector(&self, photo: &Photo, region: &FaceRegion) -> Result<Vec<f32>, DescribeError> {
        self.vector_of_drawn(&self.draw(photo, region)?)
    }

    /// The FC vectors of all patches of a drawn region, `count x features x 1 x 1`.
    fn vectors(&self, drawn: &Photo) -> Result<Tensor, DescribeError> {
        let side = self.patches.region;
        match &self.interweaved {
            Some(interweaved) if (drawn.width(), drawn.height()) == (side, side) => {
                let mut seen = vec![drawn.clone()];
                if self.patches.mirror == FlipMode::Both {
                    seen.push(drawn.mirrored());
                }
                Ok(interweaved.forward(&self.preprocess.tensor_of(&seen)).map_err(Box::new)?)
            }
            _ => Ok(self.net.forward(&self.patches.batch(drawn, &self.preprocess)?)?),
        }
    }

    /// The same for a region that is drawn already, at the side that [`Patches`] states.
    ///
    /// # Errors
    /// A drawn region of another size.
    pub fn vector_of_drawn(&self, drawn: &Photo) -> Result<Vec<f32>, DescribeError> {
        Ok(mean_vector(self.vectors(drawn)?.data(), self.features)?)
    }
}

/// The net on all patches in one pass (paper section 3.3). Only nets with locally shared layers are tried: planning takes some tens of milliseconds, and
/// small nets with padding, whose borders differ from patch to patch, share next to nothing.
fn weave(spec: &NetSpec, weights: &Weights, patches: &Patches) -> Option<Interweave> {
    /// Below that, one pass saves less than its tables cost.
    const WORTH: f64 = 1.5;
    let local = spec.layers.iter().any(|layer| matches!(layer, Layer::LocalConv { .. }));
    let side = patches.region as usize;
    let offsets: Vec<[usize; 2]> =
        patches.offsets.iter().map(|at| at.map(|pixels| pixels as usize)).collect();
    let interweaved = if local && patches.are_of_whole_regions() {
        Interweave::new(spec, weights, Shape::new(3, side, side), &offsets).ok()
    } else {
        None
    };
    interweaved.filter(|interweaved| interweaved.redundancy() > WORTH)
}

impl FeatureExtractor for Anet {
    fn features(&self) -> usize {
        self.features
    }

    fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        self.vector(photo, region)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Rect;
    use crate::attributes::{AttributeModel, ExtractorError, LinearSvms};
    use crate::testing::{blocks, random_parts, tiny_card};

    fn anet() -> Anet {
        let card = tiny_card();
        let parts = random_parts(&card, 1).unwrap();
        let look = card.anet().unwrap().clone();
        Anet::new(&look.anet, parts.net("anet").unwrap(), card.preprocess, look.patches).unwrap()
    }

    #[test]
    fn the_vector_is_the_mean_over_patches_and_their_mirror_images() {
        let photo = blocks(90, 70, 4);
        let region = Rect::new(-10.0, 5.0, 60.0, 60.0);
        let anet = anet();
        let joined = anet.vector(&photo, &region.into()).unwrap();
        let drawn = anet.patches().draw(&photo, region);
        let mut sum = vec![0.0; anet.features()];
        for &[x, y] in &anet.patches().offsets {
            let rect = Rect::new(x as f32, y as f32, 16.0, 16.0);
            let patch = crate::crop::crop(&drawn, rect, 16, 16);
            for seen in [patch.mirrored(), patch] {
                let input = Preprocess::default().tensor_of(&[seen]);
                let output = anet.net.forward(&input).unwrap();
                sum.iter_mut().zip(output.data()).for_each(|(total, x)| *total += x / 8.0);
            }
        }
        for (one, other) in joined.iter().zip(sum) {
            assert!((one - other).abs() < 1e-4, "{one} {other}");
        }
    }

    #[test]
    fn interweaved_patches_give_the_vectors_of_single_ones() {
        let conv = |name: &str, grid| Layer::LocalConv {
            name: name.to_owned(),
            filters: 7,
            kernel: 3,
            stride: 1,
            padding: 0,
            grid,
            bias: true,
        };
        let fc = Layer::Linear { name: "fc".to_owned(), outputs: 6, bias: true };
        let layers = vec![conv("local1", [2, 2]), Layer::Relu, conv("local2", [3, 3]), fc];
        let spec = NetSpec { name: "anet".to_owned(), input: Shape::new(3, 16, 16), layers };
        let weights = Weights::random(&spec, 2).unwrap();
        let drawn = blocks(20, 20, 4);
        for mirror in [FlipMode::Never, FlipMode::Both] {
            let patches = Patches::grid(16, 20, 3, mirror);
            let anet = Anet::new(&spec, &weights, Preprocess::default(), patches).unwrap();
            assert!(anet.interweaved.is_some());
            let interweaved = anet.vector_of_drawn(&drawn).unwrap();
            let single = anet.net.forward(&anet.patches.batch(&drawn, &anet.preprocess).unwrap()).unwrap();
            let single = mean_vector(single.data(), 6).unwrap();
            for (one, other) in interweaved.iter().zip(single) {
                assert!((one - other).abs() < 1e-4, "{one} {other}");
            }
        }
    }

    #[test]
    fn a_mirrored_face_gives_the_same_vector() {
        let photo = blocks(64, 64, 9);
        let region = photo.rect().into();
        let [there, back] = [&photo, &photo.mirrored()].map(|photo| anet().vector(photo, &region).unwrap());
        for (one, other) in there.iter().zip(back) {
            assert!((one - other).abs() < 2e-2, "{one} {other}");
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let mut card = tiny_card();
        let parts = random_parts(&card, 1).unwrap();
        card.anet_mut().unwrap().patches.size = 15;
        let look = card.anet().unwrap().clone();
        let refused = Anet::new(&look.anet, parts.net("anet").unwrap(), card.preprocess, look.patches);
        assert!(matches!(refused, Err(AnetError::Input { size: 15, .. })));
        let svms = LinearSvms::new(5, vec![0.0; 10], vec![0.0; 2]).unwrap();
        assert!(matches!(AttributeModel::new(Box::new(anet()), svms), Err(ExtractorError::Svm(_))));
    }

    #[test]
    fn scores_that_overflow_are_refused() {
        // Whatever the sign of the vector's sum, one of the two leaves the range.
        let weight = [[f32::MAX; 6], [f32::MIN; 6]].concat();
        let svms = LinearSvms::new(6, weight, vec![f32::MAX; 2]).unwrap();
        let photo = blocks(64, 64, 9);
        let model = AttributeModel::new(Box::new(anet()), svms).unwrap();
        let refused = model.scores(&photo, &photo.rect().into());
        assert!(matches!(refused, Err(DescribeError::NotFinite(_))));
    }
}
