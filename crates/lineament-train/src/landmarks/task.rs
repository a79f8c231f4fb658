//! Faces with landmarks, moved at random, to the square that the net sees and where their landmarks are in it.

use std::path::PathBuf;

use burn::tensor::Tensor;
use lineament::attributes::Region;
use lineament::input::Preprocess;
use lineament::{Affine, Photo, Point, Rect};
use lineament_data::augment::Change;
use lineament_data::{Augment, Dataset, Framing, PhotoCache, Split};
use rayon::prelude::*;

use super::LandmarkRecipe;
use crate::batches::{self, Orders, place, shuffled, stream};
use crate::error::TrainError;
use crate::learner::Learner;
use crate::losses::smooth_l1;
use crate::module::{Mode, Module};
use crate::training_loop::{Loss, Task};
use crate::validate::net_of;

/// Longest side at which images are kept in memory.
const KEPT_SIDE: u32 = 256;
/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 6 << 30;

/// What a side of the square counts in the loss: beyond 0.1 (0.6 % of the side) it is the distance, below it its square.
const UNITS: f64 = 16.0;

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
                upright_box(&region, &landmarks)?;
                Some(Marked { path: sample.path, landmarks })
            });
            marked.collect()
        };
        let (training, validation) = (of(Split::Train), of(Split::Validation));
        let (cache, orders) = (PhotoCache::new(KEPT_SIDE, KEPT_BYTES), Orders::default());
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
        let (upright, roll) = upright_box(&self.region, &landmarks).ok_or_else(unusable)?;
        // In the frame, the box is one high, stands upright, and its centre is the origin.
        let (sine, cosine) = roll.to_radians().sin_cos();
        let (centre, height) = (upright.centre(), upright.height);
        let frame =
            Affine([height * cosine, -height * sine, centre.x, height * sine, height * cosine, centre.y]);
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

/// The box that the square of the landmarks would be made from, if the face stood upright, and how far it is turned clockwise, in degrees.
fn upright_box(region: &Region, landmarks: &[Point; 5]) -> Option<(Rect, f32)> {
    let [left, right, ..] = landmarks;
    let roll = (right.y - left.y).atan2(right.x - left.x);
    let (sine, cosine) = roll.sin_cos();
    // The same face, turned about its left eye.
    let turned = landmarks.map(|point| {
        let (x, y) = (point.x - left.x, point.y - left.y);
        Point::new(x * cosine + y * sine, y * cosine - x * sine)
    });
    let square = region.of_landmarks(&turned).ok()?;
    let height = square.width / region.enlarge;
    let Point { x, y } = square.centre();
    let y = y - region.shift * height;
    let centre = Point::new(left.x + x * cosine - y * sine, left.y + x * sine + y * cosine);
    (height > 0.0 && height.is_finite()).then(|| (Rect::about(centre, height, height), roll.to_degrees()))
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

    fn batch(&self, step: u64, shard: usize) -> Result<LandmarkBatch, TrainError> {
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
        let input = batches::input(&photos, &self.preprocess);
        Ok(LandmarkBatch { input, targets: batches::table(targets, OUTPUTS) })
    }

    fn loss(&self, values: &[Tensor<1>], batch: LandmarkBatch) -> Loss {
        let pass = self.module.forward(values, batch.input, Mode::Train);
        let [n, ..] = pass.output.dims();
        let answers = pass.output.reshape([n, OUTPUTS]);
        let weights = batch.targets.ones_like();
        let loss = smooth_l1(answers * UNITS, batch.targets * UNITS, weights);
        Loss { loss, statistics: pass.statistics }
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
        Ok(vec![("error", errors.iter().sum::<f64>() / errors.len().max(1) as f64)])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_box_of_landmarks_gives_their_square_and_turns_with_them() {
        let region = Region::default();
        let face = [(80.0, 100.0), (120.0, 100.0), (100.0, 125.0), (85.0, 150.0), (115.0, 150.0)];
        let face = face.map(|(x, y)| Point::new(x, y));
        let (upright, roll) = upright_box(&region, &face).unwrap();
        assert_eq!(roll, 0.0);
        let (square, expected) = (region.of_box(upright).unwrap(), region.of_landmarks(&face).unwrap());
        assert!(square.iou(expected) > 0.9999, "{square:?} {expected:?}");
        // A quarter clockwise about the origin: right becomes down.
        let lying = face.map(|point| Point::new(-point.y, point.x));
        let (turned, roll) = upright_box(&region, &lying).unwrap();
        let centre = upright.centre();
        assert!((roll - 90.0).abs() < 1e-3 && (turned.height - upright.height).abs() < 1e-3);
        assert!(turned.centre().distance(Point::new(-centre.y, centre.x)) < 1e-3);
        assert_eq!(upright_box(&region, &[Point::default(); 5]), None);
    }
}
