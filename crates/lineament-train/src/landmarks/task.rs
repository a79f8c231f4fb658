//! Faces with landmarks, moved at random, to the square that the net sees and where their landmarks are in it.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use lineament::attributes::Region;
use lineament::input::Preprocess;
use lineament::{Affine, Photo, Point, Rect};
use lineament_data::augment::Change;
use lineament_data::{Augment, Dataset, Framing, PhotoCache, Split};
use rayon::prelude::*;

use super::LandmarkRecipe;
use crate::batches::{self, Orders, place, shuffled, stream};
use crate::choice::Criterion;
use crate::error::TrainError;
use crate::faces::kept_images;
use crate::learner::Learner;
use crate::losses::smooth_l1;
use crate::module::{Mode, Module};
use crate::training_loop::{Loss, Task};
use crate::validate::net_of;

/// What a side of the square counts in the loss: beyond 0.1 (0.6 % of the side) it is the distance, below it its square.
const UNITS: f64 = 16.0;

/// The figure that epochs are judged by.
const ERROR: &str = "error";

/// Numbers of an answer.
const OUTPUTS: usize = 10;

/// A face whose landmarks are known.
#[derive(Debug, Clone)]
struct Marked {
    path: PathBuf,
    /// In pixels of the file.
    landmarks: [Point; 5],
}

/// What the net learns from.
pub struct Landmarks<'a> {
    recipe: &'a LandmarkRecipe,
    module: &'a Module,
    preprocess: Preprocess,
    region: Region,
    training: Vec<Marked>,
    validation: Vec<Marked>,
    cache: PhotoCache,
    orders: Orders,
}

impl<'a> Landmarks<'a> {
    /// The faces of `sets` that have landmarks, each image once. Boxes lie around them as those do from which `region` makes a square.
    pub fn new(
        recipe: &'a LandmarkRecipe,
        module: &'a Module,
        preprocess: Preprocess,
        region: Region,
        sets: &[Dataset],
    ) -> Self {
        let of = |split: Split| -> Vec<Marked> {
            let samples = sets.iter().flat_map(|set| set.once_each(Framing::Aligned).samples);
            let marked = samples.filter(|sample| sample.split == split).filter_map(|sample| {
                let landmarks = sample.landmarks?;
                region.upright_box(&landmarks)?;
                Some(Marked { path: sample.path, landmarks })
            });
            marked.collect()
        };
        let (training, validation) = (of(Split::Train), of(Split::Validation));
        let (cache, orders) = (kept_images(), Orders::default());
        Self { recipe, module, preprocess, region, training, validation, cache, orders }
    }

    /// How many faces it learns from, and how many it is measured on.
    pub fn counts(&self) -> (usize, usize) {
        (self.training.len(), self.validation.len())
    }

    /// The square that a change shows of a face, and its landmarks there in sides of the square from the centre.
    fn seen(&self, face: &Marked, change: &Change) -> Result<(Photo, [Point; 5]), TrainError> {
        let kept = self.cache.get(&face.path)?;
        let landmarks = face.landmarks.map(|point| Point::new(point.x * kept.scale, point.y * kept.scale));
        let spec = &self.recipe.landmarks;
        let pixels = spec.net.input.width as u32;
        let unusable = || TrainError::Net(format!("{}: its landmarks span no face", face.path.display()));
        let (upright, roll) = self.region.upright_box(&landmarks).ok_or_else(unusable)?;
        // In the frame, the box is one high, stands upright, and its centre is the origin.
        let frame = Affine::of_frame(upright.centre(), upright.height, roll.to_radians());
        let square = Rect::about(Point::default(), spec.enlarge, spec.enlarge);
        let drawn = change.apply_in(&kept.photo, &frame, square, pixels, None);
        let back = change.affine(square, 1).then(&frame).inverse().ok_or_else(unusable)?;
        let mut seen = landmarks.map(|point| back.apply(point)).map(|at| Point::new(at.x - 0.5, at.y - 0.5));
        if change.mirrored {
            seen = [seen[1], seen[0], seen[2], seen[4], seen[3]];
        }
        Ok((drawn, seen))
    }
}

/// Squares and where landmarks are in them.
pub struct LandmarkBatch {
    input: Tensor<4>,
    targets: Tensor<2>,
}

impl Task for Landmarks<'_> {
    type Batch = LandmarkBatch;

    fn name(&self) -> &str {
        LandmarkRecipe::NAME
    }

    fn images(&self) -> usize {
        self.training.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<LandmarkBatch, TrainError> {
        let (seed, images) = (self.recipe.seed, self.training.len());
        let (epoch, range) = place(step, shard, images, self.recipe.schedule.batch);
        let order = self.orders.get(epoch, || shuffled(images, seed, epoch));
        let (mut photos, mut targets) = (Vec::new(), Vec::new());
        for index in &order[range] {
            let change = self.recipe.augment.draw(&mut stream(seed, epoch, u64::from(*index)));
            let (photo, landmarks) = self.seen(&self.training[*index as usize], &change)?;
            photos.push(photo);
            targets.extend(landmarks.iter().flat_map(|at| [at.x, at.y]));
        }
        let input = batches::input(&photos, &self.preprocess, device);
        Ok(LandmarkBatch { input, targets: batches::table(targets, OUTPUTS, device) })
    }

    fn loss(&self, values: &[Tensor<1>], batch: LandmarkBatch) -> Loss {
        let pass = self.module.forward(values, batch.input, Mode::Train);
        let [n, ..] = pass.output.dims();
        let answers = pass.output.reshape([n, OUTPUTS]);
        let weights = batch.targets.ones_like();
        let loss = smooth_l1(answers * UNITS, batch.targets * UNITS, weights);
        Loss { loss, statistics: pass.statistics }
    }

    fn criterion(&self) -> Option<Criterion> {
        Some(Criterion { figure: ERROR, more_is_better: false })
    }

    /// The mean distance of landmarks from where they are, in distances of the eyes, under moves as training makes them.
    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let net = net_of(learner, self.module)?;
        let Augment { shift, scale, rotation, .. } = self.recipe.augment;
        let moves = Augment { shift, scale, rotation, ..Augment::default() };
        let errors = self
            .validation
            .par_iter()
            .enumerate()
            .map(|(index, face)| {
                let change = moves.draw(&mut stream(self.recipe.seed, u64::MAX, index as u64));
                let (photo, landmarks) = self.seen(face, &change)?;
                let output = net.forward(&self.preprocess.tensor_of(&[photo]));
                let output = output.map_err(|e| TrainError::Net(e.to_string()))?;
                let found = output.data().as_chunks::<2>().0.iter().map(|[x, y]| Point::new(*x, *y));
                let away: f32 = found.zip(landmarks).map(|(found, at)| found.distance(at)).sum();
                Ok(f64::from(away / 5.0 / landmarks[0].distance(landmarks[1]).max(f32::MIN_POSITIVE)))
            })
            .collect::<Result<Vec<f64>, TrainError>>()?;
        Ok(vec![(ERROR, errors.iter().sum::<f64>() / errors.len().max(1) as f64)])
    }
}
