//! Window classifiers from tags: what stages `lnet_o` and `lnet_s` of a pyramid recipe teach.

use std::path::PathBuf;

use burn::tensor::Tensor;
use lineament::Rect;
use lineament_data::PhotoCache;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::batches::{self, Orders, place, shuffled, stream};
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::learner::Learner;
use crate::losses::binary_cross_entropy;
use crate::module::{Mode, Module};
use crate::recipe::{Recipe, WindowStage};
use crate::training_loop::{Loss, Task};

/// Longest side at which images are kept in memory.
const KEPT_SIDE: u32 = 256;

/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 6 << 30;

/// A window with a face, and its image's tags.
#[derive(Debug, Clone)]
pub struct Positive {
    /// The image.
    pub path: PathBuf,
    /// The window: a square.
    pub window: Whereabouts,
    /// Tags of the image.
    pub tags: Vec<Option<bool>>,
}

/// A window without a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Negative {
    /// The image.
    pub path: PathBuf,
    /// The window, in pixels of the file.
    pub window: Rect,
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
    data: WindowData,
    attributes: usize,
    cache: PhotoCache,
    orders: Orders,
}

impl<'a> Windows<'a> {
    /// A stage over `data`; `module` gives a cell a window with 1 + `attributes` channels.
    pub fn new(
        name: &'static str,
        recipe: &'a Recipe,
        stage: &'a WindowStage,
        module: &'a Module,
        data: WindowData,
        attributes: usize,
    ) -> Self {
        let cache = PhotoCache::new(KEPT_SIDE, KEPT_BYTES);
        Self { name, recipe, stage, module, data, attributes, cache, orders: Orders::default() }
    }

    fn size(&self) -> u32 {
        self.module.spec().input.height as u32
    }

    fn positive(&self, index: u32, rng: &mut ChaCha8Rng) -> Result<lineament::Photo, TrainError> {
        let one = &self.data.positives[index as usize];
        let kept = self.cache.get(&one.path)?;
        let window = one.window.in_kept(&kept);
        Ok(self.stage.augment.patch(&kept.photo, window, self.size(), rng))
    }

    fn negative(&self, rng: &mut ChaCha8Rng) -> Result<lineament::Photo, TrainError> {
        let hard = !self.data.hard.is_empty() && rng.random_bool(self.stage.hard.clamp(0.0, 1.0));
        let (kept, window) = if hard {
            let one = &self.data.hard[rng.random_range(0..self.data.hard.len())];
            let kept = self.cache.get(&one.path)?;
            let window = kept.to_kept(one.window);
            (kept, window)
        } else {
            let set = &self.data.backgrounds[rng.random_range(0..self.data.backgrounds.len())];
            let path = &set[rng.random_range(0..set.len())];
            let kept = self.cache.get(path)?;
            let window = random_window(kept.photo.width() as f32, kept.photo.height() as f32, rng);
            (kept, window)
        };
        Ok(self.stage.negative_augment.patch(&kept.photo, window, self.size(), rng))
    }
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

/// Windows and what is known of them.
pub struct WindowBatch {
    input: Tensor<4>,
    targets: Tensor<2>,
    weights: Tensor<2>,
}

impl Task for Windows<'_> {
    type Batch = WindowBatch;

    fn name(&self) -> &str {
        self.name
    }

    fn images(&self) -> usize {
        self.data.positives.len()
    }

    fn batch(&self, step: u64, shard: usize) -> Result<WindowBatch, TrainError> {
        let batch = self.stage.schedule.batch;
        let (epoch, range) = place(step, shard, self.data.positives.len(), batch);
        let order = self.orders.get(epoch, || shuffled(self.data.positives.len(), self.recipe.seed, epoch));
        let (mut photos, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let faces = range.len();
        let negatives = (faces as f64 * self.stage.negatives).round() as usize;
        // The loss divides by all windows, but the tags' part is a mean over the attributes of those with a face.
        let share = (faces + negatives) as f64 / faces.max(1) as f64;
        let tag_weight = (self.stage.tags * share / self.attributes.max(1) as f64) as f32;
        for index in &order[range] {
            photos.push(self.positive(*index, &mut stream(self.recipe.seed, epoch, u64::from(*index)))?);
            targets.push(1.0);
            weights.push(1.0);
            for tag in &self.data.positives[*index as usize].tags {
                targets.push(if *tag == Some(true) { 1.0 } else { 0.0 });
                weights.push(if tag.is_some() { tag_weight } else { 0.0 });
            }
        }
        let mut rng = stream(self.recipe.seed ^ 0x6e65_6761, step, shard as u64);
        for _ in 0..negatives {
            photos.push(self.negative(&mut rng)?);
            targets.extend(std::iter::repeat_n(0.0, 1 + self.attributes));
            weights.push(1.0);
            weights.extend(std::iter::repeat_n(0.0, self.attributes));
        }
        Ok(WindowBatch {
            input: batches::input(&photos, &self.recipe.preprocess),
            targets: batches::table(targets, 1 + self.attributes),
            weights: batches::table(weights, 1 + self.attributes),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: WindowBatch) -> Loss {
        let pass = self.module.forward(values, batch.input, Mode::Train);
        let [n, c, _, _] = pass.output.dims();
        let loss = binary_cross_entropy(pass.output.reshape([n, c]), batch.targets, batch.weights);
        Loss { loss, statistics: pass.statistics }
    }

    fn validate(&self, _: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        Ok(Vec::new())
    }
}
