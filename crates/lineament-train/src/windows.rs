//! Window classifiers from tags: what stages `lnet_o` and `lnet_s` of a pyramid recipe teach.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use lineament::{Affine, Photo, Point, Rect};
use lineament_data::{Kept, PhotoCache};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::batches::{self, Orders, place, shuffled, stream};
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::losses::{binary_cross_entropy, smooth_l1};
use crate::module::{Mode, Module};
use crate::recipe::{Recipe, WINDOW_RESPONSES, WindowStage};
use crate::teachers::{TeacherTargets, Teachers};
use crate::training_loop::{Loss, Task};

/// Longest side at which images are kept in memory.
const KEPT_SIDE: u32 = 512;

/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 6 << 30;

/// A window with a face, and what is known of the face.
#[derive(Debug, Clone)]
pub struct Positive {
    /// The image.
    pub path: PathBuf,
    /// The window before it is turned: a square.
    pub window: Whereabouts,
    /// How far the face is turned clockwise, in degrees.
    pub roll: f32,
    /// Tags of the face, in the order of the attributes; none where nothing is known.
    pub tags: Vec<Option<bool>>,
}

/// A window without a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Negative {
    /// The image.
    pub path: PathBuf,
    /// The window before it is turned, in pixels of the file.
    pub window: Rect,
    /// How far it is turned clockwise, in degrees.
    pub roll: f32,
}

/// What a window classifier learns from.
pub struct WindowData {
    /// Windows with a face.
    pub positives: Vec<Positive>,
    /// Images without a face, a list a data set: windows are cut from them at random, as many from each set.
    pub backgrounds: Vec<Vec<PathBuf>>,
    /// Windows without a face that an earlier net took for one.
    pub hard: Vec<Negative>,
}

/// Stage `lnet_o` or `lnet_s`.
pub struct Windows<'a> {
    name: &'static str,
    recipe: &'a Recipe,
    stage: &'a WindowStage,
    module: &'a Module,
    teachers: &'a Teachers,
    data: WindowData,
    attributes: usize,
    cache: PhotoCache,
    orders: Orders,
}

impl<'a> Windows<'a> {
    /// A stage over `data`; `module` gives a cell a window with [`WINDOW_RESPONSES`] + `attributes` channels.
    pub fn new(
        name: &'static str,
        recipe: &'a Recipe,
        stage: &'a WindowStage,
        module: &'a Module,
        teachers: &'a Teachers,
        data: WindowData,
        attributes: usize,
    ) -> Self {
        let cache = PhotoCache::new(KEPT_SIDE, KEPT_BYTES);
        Self { name, recipe, stage, module, teachers, data, attributes, cache, orders: Orders::default() }
    }

    fn size(&self) -> u32 {
        self.module.spec().input.height as u32
    }

    /// A changed window with a face, and where the face's own window lies in it.
    fn positive(&self, index: u32, rng: &mut ChaCha8Rng) -> Result<(Photo, [f32; 5]), TrainError> {
        let one = &self.data.positives[index as usize];
        let kept = self.cache.get(&one.path)?;
        let change = self.stage.augment.draw(rng);
        let other = if change.wants_other() { Some(self.background(rng)?) } else { None };
        let other = other.as_ref().map(|kept| kept.photo.as_ref());
        let frame = turned(one.window.in_kept(&kept), one.roll);
        let window = change.apply_in(&kept.photo, &frame, UNIT, self.size(), other);
        Ok((window, change.offsets().targets()))
    }

    /// A window without a face.
    fn negative(&self, rng: &mut ChaCha8Rng) -> Result<Photo, TrainError> {
        let hard = !self.data.hard.is_empty() && rng.random_bool(self.stage.hard.clamp(0.0, 1.0));
        let (kept, frame) = if hard {
            let one = &self.data.hard[rng.random_range(0..self.data.hard.len())];
            let kept = self.cache.get(&one.path)?;
            let frame = turned(kept.to_kept(one.window), one.roll);
            (kept, frame)
        } else {
            let kept = self.background(rng)?;
            let window = random_window(kept.photo.width() as f32, kept.photo.height() as f32, rng);
            (kept, turned(window, 0.0))
        };
        self.changed_negative(&kept, &frame, UNIT, rng)
    }

    /// A window of a part of a face, or beside one: no face of its size stands in its middle.
    fn part(&self, rng: &mut ChaCha8Rng) -> Result<Photo, TrainError> {
        let one = &self.data.positives[rng.random_range(0..self.data.positives.len())];
        let kept = self.cache.get(&one.path)?;
        self.changed_negative(&kept, &turned(one.window.in_kept(&kept), one.roll), random_part(rng), rng)
    }

    fn changed_negative(
        &self,
        kept: &Kept,
        frame: &Affine,
        region: Rect,
        rng: &mut ChaCha8Rng,
    ) -> Result<Photo, TrainError> {
        let change = self.stage.negative_augment.draw(rng);
        let other = if change.wants_other() { Some(self.background(rng)?) } else { None };
        let other = other.as_ref().map(|kept| kept.photo.as_ref());
        Ok(change.apply_in(&kept.photo, frame, region, self.size(), other))
    }

    /// Any image without a face.
    fn background(&self, rng: &mut ChaCha8Rng) -> Result<Kept, TrainError> {
        let set = &self.data.backgrounds[rng.random_range(0..self.data.backgrounds.len())];
        Ok(self.cache.get(&set[rng.random_range(0..set.len())])?)
    }
}

/// A window in its own frame.
const UNIT: Rect = Rect::new(0.0, 0.0, 1.0, 1.0);

/// From the frame of a window, in which a face that is turned by `roll` degrees stands upright, to its image.
fn turned(window: Rect, roll: f32) -> Affine {
    Affine::of_turned(window, roll.to_radians(), false, 1, 1)
}

/// A square in the frame of a face's window: a part of it, a fifth to half as large, or one of about its size more than half a side away.
fn random_part(rng: &mut ChaCha8Rng) -> Rect {
    let part = rng.random_bool(0.5);
    let side = rng.random_range(if part { -1.6..-0.75_f32 } else { -0.4..0.4 }).exp();
    let away =
        if part { rng.random_range(0.0..0.4_f32) } else { rng.random_range(0.55..0.85) * side.max(1.0) };
    let (sine, cosine) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
    Rect::about(Point::new(0.5 + away * cosine, 0.5 + away * sine), side, side)
}

/// A square anywhere in an image, its side between an eighth and all of the shorter side, evenly in its logarithm.
fn random_window(width: f32, height: f32, rng: &mut ChaCha8Rng) -> Rect {
    let shorter = width.min(height);
    let least = (shorter / 8.0).max(20.0).min(shorter);
    let side = if least < shorter { rng.random_range(least.ln()..=shorter.ln()).exp() } else { shorter };
    let x = rng.random_range(0.0..=(width - side).max(0.0));
    let y = rng.random_range(0.0..=(height - side).max(0.0));
    Rect { x, y, width: side, height: side }
}

/// Windows and what is known of them: a column a response.
pub struct WindowBatch {
    input: Tensor<4>,
    targets: Tensor<2>,
    weights: Tensor<2>,
    taught: TeacherTargets,
}

impl Task for Windows<'_> {
    type Batch = WindowBatch;

    fn name(&self) -> &str {
        self.name
    }

    fn images(&self) -> usize {
        self.data.positives.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<WindowBatch, TrainError> {
        let batch = self.stage.schedule.batch;
        let (epoch, range) = place(step, shard, self.data.positives.len(), batch);
        let order = self.orders.get(epoch, || shuffled(self.data.positives.len(), self.recipe.seed, epoch));
        let (mut photos, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let chosen = &order[range];
        let faces = chosen.len();
        let [negatives, parts] =
            [self.stage.negatives, self.stage.parts].map(|each| (faces as f64 * each).round() as usize);
        // The loss divides by all windows, but the parts of offsets and tags are means over those with a face.
        let share = (faces + negatives + parts) as f64 / faces.max(1) as f64;
        let offset_weight = (self.stage.offsets * share / (WINDOW_RESPONSES - 1) as f64) as f32;
        let tag_weight = (self.stage.tags * share / self.attributes.max(1) as f64) as f32;
        let columns = WINDOW_RESPONSES + self.attributes;
        for index in chosen {
            let mut rng = stream(self.recipe.seed, epoch, u64::from(*index));
            let (photo, offsets) = self.positive(*index, &mut rng)?;
            photos.push(photo);
            targets.push(1.0);
            targets.extend(offsets);
            weights.push(1.0);
            weights.extend([offset_weight; WINDOW_RESPONSES - 1]);
            let tags = &self.data.positives[*index as usize].tags;
            for place in 0..self.attributes {
                let tag = tags.get(place).copied().flatten();
                targets.push(if tag == Some(true) { 1.0 } else { 0.0 });
                weights.push(if tag.is_some() { tag_weight } else { 0.0 });
            }
        }
        let mut rng = stream(self.recipe.seed ^ 0x6e65_6761, step, shard as u64);
        for number in 0..negatives + parts {
            photos.push(if number < negatives { self.negative(&mut rng)? } else { self.part(&mut rng)? });
            targets.extend(std::iter::repeat_n(0.0, columns));
            weights.push(1.0);
            weights.extend(std::iter::repeat_n(0.0, columns - 1));
        }
        // What a teacher says of an image is said of its one face, as tags are.
        let tagged = chosen.iter().map(|index| {
            let one = self.data.positives.get(*index as usize);
            one.filter(|one| !one.tags.is_empty()).map(|one| one.path.as_path())
        });
        Ok(WindowBatch {
            taught: self.teachers.targets(tagged.chain(std::iter::repeat_n(None, negatives + parts)), device),
            input: batches::input(&photos, &self.recipe.preprocess, device),
            targets: batches::table(targets, columns, device),
            weights: batches::table(weights, columns, device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: WindowBatch) -> Loss {
        let pass = self.module.forward(values, batch.input, Mode::Train);
        let [n, c, _, _] = pass.output.dims();
        let responses = pass.output.clone().reshape([n, c]);
        let of = |from: usize, to: usize| {
            [&responses, &batch.targets, &batch.weights].map(|table| table.clone().slice([0..n, from..to]))
        };
        let [logits, targets, weights] = of(0, 1);
        let face = binary_cross_entropy(logits, targets, weights);
        let [offsets, targets, weights] = of(1, WINDOW_RESPONSES);
        let offsets = smooth_l1(offsets, targets, weights);
        let [logits, targets, weights] = of(WINDOW_RESPONSES, c);
        let tags = binary_cross_entropy(logits, targets, weights);
        let loss = self.teachers.beside(face + offsets + tags, values, &pass.output, batch.taught);
        Loss { loss, statistics: pass.statistics }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lineament::crop::warp;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_face_stands_upright_in_the_frame_of_its_window() {
        // Bright above, dark below; turned clockwise by a quarter, what is above comes to the right.
        let photo = Photo::new(2, 2, [[9_u8; 3], [200; 3], [9; 3], [200; 3]].concat()).unwrap();
        let window = Rect::new(0.0, 0.0, 2.0, 2.0);
        let upright = warp(&photo, &Affine::of_rect(UNIT, 2, 2).then(&turned(window, 90.0)), 2, 2);
        assert_eq!(upright.pixel(0, 0), Some([200; 3]));
        assert_eq!(upright.pixel(0, 1), Some([9; 3]));
        let frame = turned(Rect::new(10.0, 20.0, 8.0, 8.0), 0.0);
        assert!(frame.apply(Point::new(0.5, 0.5)).distance(Point::new(14.0, 24.0)) < 1e-5);
    }

    #[test]
    fn parts_are_no_windows_of_the_face() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let parts: Vec<Rect> = (0..2000).map(|_| random_part(&mut rng)).collect();
        assert!(parts.iter().all(|part| part.iou(UNIT) < 0.4));
        assert!((800..1200).contains(&parts.iter().filter(|part| part.width < 0.5).count()));
    }
}
