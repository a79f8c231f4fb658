//! Stage `objects`: the LNets learn what things look like before they learn of faces (paper section 3.1).

use std::path::PathBuf;

use burn::tensor::{Device, Int, Tensor};
use lineament::Rect;
use lineament_data::{Dataset, PhotoCache, Split};
use lineament_net::{Layer, NetSpec};

use crate::batches::{self, Orders, place, shuffled, stream};
use crate::error::TrainError;
use crate::losses::softmax_cross_entropy;
use crate::module::{Mode, Module};
use crate::recipe::{ObjectStage, Recipe};
use crate::teachers::{TeacherTargets, Teachers};
use crate::training_loop::{Loss, Task};

/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 2 << 30;

/// An image and the number of its class.
#[derive(Debug, Clone)]
pub struct Object {
    path: PathBuf,
    class: u32,
}

/// The images of one split of every set that has classes; classes of different sets are different.
pub fn objects(sets: &[Dataset], split: Split) -> (Vec<Object>, usize) {
    let mut found = Vec::new();
    let mut classes = 0;
    for set in sets {
        let of_split = set.samples.iter().filter(|s| s.split == split);
        found.extend(
            of_split.filter_map(|s| Some(Object { path: s.path.clone(), class: s.class? + classes })),
        );
        classes += set.classes.len() as u32;
    }
    (found, classes as usize)
}

/// The net that is trained: LNet's trunk, and behind it the mean over places and a linear layer, both removed afterwards.
pub struct ObjectModules {
    /// LNet.
    pub trunk: Module,
    /// Mean response to classes.
    pub head: Module,
    /// Mean response to what teachers say.
    pub teachers: Teachers,
}

impl ObjectModules {
    /// LNet's spec for images of `size` pixels, with a head for `classes`.
    ///
    /// # Errors
    /// When the net does not fit the size.
    pub fn new(lnet: &NetSpec, classes: usize) -> Result<Self, TrainError> {
        let trunk = Module::new(lnet, 0)?;
        let channels = lnet.output()?.channels;
        let head = NetSpec {
            name: "objects-head".to_owned(),
            input: lineament_net::Shape { channels, height: 1, width: 1 },
            layers: vec![Layer::Linear { name: "head".to_owned(), outputs: classes, bias: true }],
        };
        let head = Module::new(&head, trunk.end())?;
        Ok(Self { trunk, head, teachers: Teachers::default() })
    }
}

impl ObjectModules {
    /// All of them, in their order.
    pub fn list(&self) -> Vec<&Module> {
        [&self.trunk, &self.head].into_iter().chain(self.teachers.heads()).collect()
    }
}

/// Stage `objects`.
pub struct Objects<'a> {
    name: &'static str,
    recipe: &'a Recipe,
    stage: &'a ObjectStage,
    modules: &'a ObjectModules,
    images: Vec<Object>,
    cache: PhotoCache,
    orders: Orders,
}

impl<'a> Objects<'a> {
    /// The stage over the training images; its log and checkpoint are called `name`.
    pub fn new(
        name: &'static str,
        recipe: &'a Recipe,
        stage: &'a ObjectStage,
        modules: &'a ObjectModules,
        images: Vec<Object>,
    ) -> Self {
        let cache = PhotoCache::new(stage.size as u32 * 2, KEPT_BYTES);
        Self { name, recipe, stage, modules, images, cache, orders: Orders::default() }
    }
}

/// Images and their classes.
pub struct ObjectBatch {
    input: Tensor<4>,
    classes: Tensor<1, Int>,
    taught: TeacherTargets,
}

impl Task for Objects<'_> {
    type Batch = ObjectBatch;

    fn name(&self) -> &str {
        self.name
    }

    fn images(&self) -> usize {
        self.images.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<ObjectBatch, TrainError> {
        let (epoch, range) = place(step, shard, self.images.len(), self.stage.schedule.batch);
        let order = self.orders.get(epoch, || shuffled(self.images.len(), self.recipe.seed, epoch));
        let (mut photos, mut classes) = (Vec::new(), Vec::new());
        let chosen = &order[range];
        for index in chosen {
            let object = &self.images[*index as usize];
            let mut rng = stream(self.recipe.seed, epoch, u64::from(*index));
            let photo = self.cache.get(&object.path)?.photo;
            let side = photo.width().min(photo.height()) as f32;
            let whole = Rect {
                x: (photo.width() as f32 - side) / 2.0,
                y: (photo.height() as f32 - side) / 2.0,
                width: side,
                height: side,
            };
            photos.push(self.stage.augment.patch(&photo, whole, self.stage.size as u32, &mut rng));
            classes.push(object.class as i32);
        }
        let paths = chosen.iter().map(|index| self.images.get(*index as usize).map(|one| one.path.as_path()));
        Ok(ObjectBatch {
            taught: self.modules.teachers.targets(paths, device),
            input: batches::input(&photos, &self.recipe.preprocess, device),
            classes: batches::integers(classes, device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: ObjectBatch) -> Loss {
        let pass = self.modules.trunk.forward(values, batch.input, Mode::Train);
        let mean = pass.output.clone().mean_dim(3).mean_dim(2);
        let logits = self.modules.head.forward(values, mean, Mode::Train).output;
        let [n, k, _, _] = logits.dims();
        let classes = softmax_cross_entropy(logits.reshape([n, k]), batch.classes, self.stage.smoothing);
        let loss = self.modules.teachers.beside(classes, values, &pass.output, batch.taught);
        Loss { loss, statistics: pass.statistics }
    }
}
