//! Tags of full images: what stages `lnet_o` and `lnet_s` of the paper's recipe teach (paper section 3.1).

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use lineament::{Photo, Rect};
use lineament_data::PhotoCache;
use lineament_net::{Layer, NetSpec, Shape};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::batches::{self, Orders, place, shuffled, stream};
use crate::error::TrainError;
use crate::losses::binary_cross_entropy;
use crate::module::{Mode, Module};
use crate::recipe::{PhotoStage, Recipe};
use crate::teachers::{TeacherTargets, Teachers};
use crate::training_loop::{Loss, Task};

/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 6 << 30;

/// An image, or a region of it, and its tags.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The image.
    pub path: PathBuf,
    /// The square that the net is shown, in pixels of the file; the full image where there is none.
    pub region: Option<Rect>,
    /// Tags of the image.
    pub tags: Vec<Option<bool>>,
}

/// An LNet and what training adds behind its last convolution: the mean over places, and a linear layer for "face" and the attributes.
pub struct PhotoModules {
    /// LNet.
    pub trunk: Module,
    /// Mean response to tags; removed after training.
    pub head: Module,
    /// Mean response to what teachers say; removed after training.
    pub teachers: Teachers,
}

impl PhotoModules {
    /// LNet with a head for 1 + `attributes` tags.
    ///
    /// # Errors
    /// When the spec is refused.
    pub fn new(lnet: &NetSpec, attributes: usize) -> Result<Self, TrainError> {
        let trunk = Module::new(lnet, 0)?;
        let head = NetSpec {
            name: format!("{}-head", lnet.name),
            input: Shape { channels: lnet.output()?.channels, height: 1, width: 1 },
            layers: vec![Layer::Linear { name: "head".to_owned(), outputs: 1 + attributes, bias: true }],
        };
        let head = Module::new(&head, trunk.end())?;
        Ok(Self { trunk, head, teachers: Teachers::default() })
    }
}

impl PhotoModules {
    /// All of them, in their order.
    pub fn list(&self) -> Vec<&Module> {
        [&self.trunk, &self.head].into_iter().chain(self.teachers.heads()).collect()
    }
}

/// Stage `lnet_o` or `lnet_s`.
pub struct Photos<'a> {
    name: &'static str,
    recipe: &'a Recipe,
    stage: &'a PhotoStage,
    modules: &'a PhotoModules,
    images: Vec<Tagged>,
    /// Images without a face, a list a data set.
    backgrounds: Vec<Vec<PathBuf>>,
    attributes: usize,
    cache: PhotoCache,
    orders: Orders,
}

impl<'a> Photos<'a> {
    /// A stage over `pictures` with a face and `backgrounds` without.
    pub fn new(
        name: &'static str,
        recipe: &'a Recipe,
        stage: &'a PhotoStage,
        modules: &'a PhotoModules,
        images: Vec<Tagged>,
        backgrounds: Vec<Vec<PathBuf>>,
        attributes: usize,
    ) -> Self {
        let kept_side = modules.trunk.spec().input.height as u32 * 5 / 4;
        let cache = PhotoCache::new(kept_side, KEPT_BYTES);
        Self {
            name,
            recipe,
            stage,
            modules,
            images,
            backgrounds,
            attributes,
            cache,
            orders: Orders::default(),
        }
    }

    fn size(&self) -> u32 {
        self.modules.trunk.spec().input.height as u32
    }

    fn tagged(&self, index: u32, epoch: u64) -> Result<Photo, TrainError> {
        let one = &self.images[index as usize];
        let kept = self.cache.get(&one.path)?;
        let region = one.region.map_or_else(|| whole(&kept.photo), |region| kept.to_kept(region));
        let mut rng = stream(self.recipe.seed, epoch, u64::from(index));
        Ok(self.stage.augment.patch(&kept.photo, region, self.size(), &mut rng))
    }

    fn background(&self, rng: &mut ChaCha8Rng) -> Result<Photo, TrainError> {
        let set = &self.backgrounds[rng.random_range(0..self.backgrounds.len())];
        let kept = self.cache.get(&set[rng.random_range(0..set.len())])?;
        Ok(self.stage.augment.patch(&kept.photo, whole(&kept.photo), self.size(), rng))
    }
}

/// The square about the full image; beside the image its edge pixels are repeated.
fn whole(photo: &Photo) -> Rect {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let side = width.max(height);
    Rect::new((width - side) / 2.0, (height - side) / 2.0, side, side)
}

/// Images and what is known of them.
pub struct PhotoBatch {
    input: Tensor<4>,
    targets: Tensor<2>,
    weights: Tensor<2>,
    taught: TeacherTargets,
}

impl Task for Photos<'_> {
    type Batch = PhotoBatch;

    fn name(&self) -> &str {
        self.name
    }

    fn images(&self) -> usize {
        self.images.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<PhotoBatch, TrainError> {
        let (epoch, range) = place(step, shard, self.images.len(), self.stage.schedule.batch);
        let order = self.orders.get(epoch, || shuffled(self.images.len(), self.recipe.seed, epoch));
        let negatives = (range.len() as f64 * self.stage.negatives).round() as usize;
        let (mut photos, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let chosen = &order[range];
        for index in chosen {
            photos.push(self.tagged(*index, epoch)?);
            let tags = &self.images[*index as usize].tags;
            targets.push(1.0);
            targets.extend(tags.iter().map(|tag| if *tag == Some(true) { 1.0 } else { 0.0 }));
            weights.push(1.0);
            weights.extend(tags.iter().map(|tag| if tag.is_some() { 1.0 } else { 0.0 }));
        }
        let mut rng = stream(self.recipe.seed ^ 0x6e65_6761, step, shard as u64);
        for _ in 0..negatives {
            photos.push(self.background(&mut rng)?);
            targets.extend(std::iter::repeat_n(0.0, 1 + self.attributes));
            weights.push(1.0);
            weights.extend(std::iter::repeat_n(0.0, self.attributes));
        }
        let tagged =
            chosen.iter().map(|index| self.images.get(*index as usize).map(|one| one.path.as_path()));
        Ok(PhotoBatch {
            taught: self.modules.teachers.targets(tagged.chain(std::iter::repeat_n(None, negatives)), device),
            input: batches::input(&photos, &self.recipe.preprocess, device),
            targets: batches::table(targets, 1 + self.attributes, device),
            weights: batches::table(weights, 1 + self.attributes, device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: PhotoBatch) -> Loss {
        let pass = self.modules.trunk.forward(values, batch.input, Mode::Train);
        let mean = pass.output.clone().mean_dim(3).mean_dim(2);
        let logits = self.modules.head.forward(values, mean, Mode::Train).output;
        let [n, c, _, _] = logits.dims();
        let tags = binary_cross_entropy(logits.reshape([n, c]), batch.targets, batch.weights);
        let loss = self.modules.teachers.beside(tags, values, &pass.output, batch.taught);
        Loss { loss, statistics: pass.statistics }
    }
}
