//! Stages `identities` and `anet`: who is on an image, then what its tags say (paper section 3.2).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use burn::tensor::{Device, Tensor};
use lineament_data::Augment;
use lineament_net::{Layer, NetSpec, Shape};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::batches::{self, Orders, place, shuffled, stream};
use crate::choice::Criterion;
use crate::error::TrainError;
use crate::faces::{Face, Faces, mostly_known};
use crate::learner::Learner;
use crate::losses::{binary_cross_entropy, similarity, softmax_cross_entropy};
use crate::module::{Mode, Module};
use crate::recipe::{IdentityStage, Recipe};
use crate::teachers::{TeacherTargets, Teachers};
use crate::training_loop::{Loss, Task};
use crate::validate::{MEAN_AVERAGE_PRECISION, mean_average_precision, net_of};

/// A linear layer behind a net's last layer, removed after training.
///
/// # Errors
/// When the net's own spec is refused.
pub fn head_spec(net: &NetSpec, outputs: usize) -> Result<NetSpec, TrainError> {
    let Shape { channels, height, width } = net.output()?;
    Ok(NetSpec {
        name: format!("{}-head", net.name),
        input: Shape { channels, height, width },
        layers: vec![Layer::Linear { name: "head".to_owned(), outputs, bias: true }],
    })
}

/// ANet's trunk and the head of a stage.
pub struct AnetModules {
    /// Patch to FC vector.
    pub trunk: Module,
    /// FC vector to what the stage asks.
    pub head: Module,
    /// FC vector to what teachers say.
    pub teachers: Teachers,
    /// Outputs of the head.
    pub outputs: usize,
}

impl AnetModules {
    /// Trunk first, head behind it.
    ///
    /// # Errors
    /// When the spec is refused.
    pub fn new(anet: &NetSpec, outputs: usize) -> Result<Self, TrainError> {
        let trunk = Module::new(anet, 0)?;
        let head = Module::new(&head_spec(anet, outputs)?, trunk.end())?;
        Ok(Self { trunk, head, teachers: Teachers::default(), outputs })
    }

    /// All of them, in their order.
    pub fn list(&self) -> Vec<&Module> {
        [&self.trunk, &self.head].into_iter().chain(self.teachers.heads()).collect()
    }
}

/// Stage `identities`: softmax over people, and the similarity loss over pairs; of the faces of nobody known, what teachers say.
pub struct Identities<'a> {
    recipe: &'a Recipe,
    stage: &'a IdentityStage,
    faces: &'a Faces,
    modules: &'a AnetModules,
    /// Places of each person's images in `faces`, people with two or more.
    people: Vec<Vec<u32>>,
    /// Places of further faces of which a teacher says something.
    taught: Vec<u32>,
    /// The class of each of those places.
    classes: HashMap<u32, i32>,
    orders: Orders,
    images: usize,
}

/// The people of the training part with at least so many images (and two), by their places in `faces`.
pub fn people(faces: &Faces, least: usize) -> Vec<Vec<u32>> {
    let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (index, face) in faces.faces.iter().enumerate() {
        if let (lineament_data::Split::Train, Some(identity)) = (face.split, face.identity) {
            found.entry(identity).or_default().push(index as u32);
        }
    }
    found.into_values().filter(|images| images.len() >= least.max(2)).collect()
}

impl<'a> Identities<'a> {
    /// The stage over `people` (see [`people`]).
    pub fn new(
        recipe: &'a Recipe,
        stage: &'a IdentityStage,
        faces: &'a Faces,
        modules: &'a AnetModules,
        people: Vec<Vec<u32>>,
    ) -> Self {
        let paired: usize = people.iter().map(|p| p.len() / 2 * 2).sum();
        let of_people: HashSet<u32> = people.iter().flatten().copied().collect();
        let further = |place: &u32| {
            let face = faces.faces.get(*place as usize).filter(|_| !of_people.contains(place));
            face.is_some_and(|face| {
                face.split == lineament_data::Split::Train && modules.teachers.know(&face.path)
            })
        };
        let taught: Vec<u32> = (0..faces.faces.len() as u32).filter(further).collect();
        let images = paired + taught.len() / 2 * 2;
        let numbered = people.iter().zip(0..);
        let classes = numbered.flat_map(|(places, class)| places.iter().map(move |p| (*p, class))).collect();
        Self { recipe, stage, faces, modules, people, taught, classes, orders: Orders::default(), images }
    }

    /// Pairs of one person's images, two places each, and pairs of further faces: every image of an epoch once (but for the odd one out).
    fn pairs(&self, epoch: u64) -> Vec<u32> {
        let mut rng = stream(self.recipe.seed, epoch, u64::MAX - 1);
        let mut pairs: Vec<[u32; 2]> = Vec::new();
        for places in &self.people {
            let mut places = places.clone();
            places.shuffle(&mut rng);
            pairs.extend(places.as_chunks::<2>().0);
        }
        let mut taught = self.taught.clone();
        taught.shuffle(&mut rng);
        pairs.extend(taught.as_chunks::<2>().0);
        pairs.shuffle(&mut rng);
        pairs.into_flattened()
    }
}

/// Patches, and the people on some of them.
pub struct IdentityBatch {
    input: Tensor<4>,
    /// Rows of which the person is known, in pairs of one person.
    known: Vec<i32>,
    /// Their people.
    classes: Vec<i32>,
    taught: TeacherTargets,
}

impl Task for Identities<'_> {
    type Batch = IdentityBatch;

    fn name(&self) -> &str {
        "identities"
    }

    fn images(&self) -> usize {
        self.images
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<IdentityBatch, TrainError> {
        let stage = self.stage;
        let (epoch, range) = place(step, shard, self.images, stage.schedule.batch);
        let order = self.orders.get(epoch, || self.pairs(epoch));
        let chosen = &order[range];
        let input = patches(self.faces, chosen, &stage.augment, self.recipe, epoch, device)?;
        let class = |(row, place): (i32, &u32)| Some((row, *self.classes.get(place)?));
        let (known, classes) = (0..).zip(chosen).filter_map(class).unzip();
        let taught = self.modules.teachers.targets(paths(self.faces, chosen), device);
        Ok(IdentityBatch { input, known, classes, taught })
    }

    fn loss(&self, values: &[Tensor<1>], batch: IdentityBatch) -> Loss {
        let stage = self.stage;
        let IdentityBatch { input, known, classes, taught } = batch;
        let pass = self.modules.trunk.forward(values, input, Mode::Train);
        let [n, c, h, w] = pass.output.dims();
        let taught = self.modules.teachers.loss(values, &pass.output, taught);
        let device = pass.output.device();
        let people = (!known.is_empty()).then(|| {
            let features = if known.len() == n {
                pass.output
            } else {
                pass.output.select(0, batches::integers(known, &device))
            };
            let logits = self.modules.head.forward(values, features.clone(), Mode::Train).output;
            let [n, k, _, _] = logits.dims();
            let softmax = softmax_cross_entropy(
                logits.reshape([n, k]),
                batches::integers(classes, &device),
                stage.smoothing,
            );
            softmax + similarity(features.reshape([n, c * h * w])) * stage.similarity
        });
        // Every face of a batch is somebody's or taught.
        let loss = people.into_iter().chain(taught).reduce(|sum, loss| sum + loss);
        let loss = loss.unwrap_or_else(|| Tensor::zeros([1], &device));
        Loss { loss, statistics: pass.statistics }
    }
}

/// The images of the faces at `chosen`.
fn paths<'f>(faces: &'f Faces, chosen: &'f [u32]) -> impl Iterator<Item = Option<&'f Path>> {
    chosen.iter().map(|place| faces.faces.get(*place as usize).map(|face| face.path.as_path()))
}

/// Augmented patches of the faces at `chosen` on `device`, `N x 3 x S x S`.
fn patches(
    faces: &Faces,
    chosen: &[u32],
    augment: &Augment,
    recipe: &Recipe,
    epoch: u64,
    device: &Device,
) -> Result<Tensor<4>, TrainError> {
    let cut = |index: &u32| {
        let mut rng = stream(recipe.seed, epoch, u64::from(*index));
        faces.patch(*index as usize, augment, recipe.patches.size, &mut rng)
    };
    let photos: Vec<_> = chosen.iter().map(cut).collect::<Result<_, _>>()?;
    Ok(batches::input(&photos, &recipe.preprocess, device))
}

/// Stages `narrow` and `anet`: attribute tags.
pub struct Attributes<'a> {
    name: &'static str,
    recipe: &'a Recipe,
    faces: &'a Faces,
    modules: &'a AnetModules,
    attributes: usize,
    /// Images a step.
    batch: usize,
    /// Places of the faces to learn from.
    train: Vec<u32>,
    /// Places of the validation faces.
    validation: Vec<u32>,
    orders: Orders,
}

impl<'a> Attributes<'a> {
    /// The stage over all tagged faces of the training part, and those of which a teacher says something.
    pub fn new(
        name: &'static str,
        recipe: &'a Recipe,
        faces: &'a Faces,
        modules: &'a AnetModules,
        batch: usize,
    ) -> Self {
        let known = |place: usize| mostly_known(&faces.faces[place].tags);
        let taught = |place: usize| modules.teachers.know(&faces.faces[place].path);
        let of = |split, keep: &dyn Fn(usize) -> bool| -> Vec<u32> {
            let places = 0..faces.faces.len();
            places.filter(|p| faces.faces[*p].split == split && keep(*p)).map(|p| p as u32).collect()
        };
        let mut train = of(lineament_data::Split::Train, &|p| known(p) || taught(p));
        if let Some(images) = recipe.anet.images {
            train.shuffle(&mut stream(recipe.seed, 0, u64::MAX - 2));
            train.truncate(images);
            train.sort_unstable();
        }
        Self {
            train,
            validation: of(lineament_data::Split::Validation, &known),
            attributes: modules.outputs,
            name,
            recipe,
            faces,
            modules,
            batch,
            orders: Orders::default(),
        }
    }

    /// Which FC units are dropped for each face of a batch; drawn from the seed so that a resumed training draws the same.
    fn mask(&self, step: u64, shard: usize, faces: usize, device: &Device) -> Option<Tensor<2>> {
        let dropout = self.recipe.anet.dropout;
        if dropout <= 0.0 {
            return None;
        }
        let units = self.modules.head.parameters().first().map_or(1, |weight| weight.shape[1]);
        let mut rng = stream(self.recipe.seed ^ 0x6d61_736b, step, shard as u64);
        let kept = (1.0 / (1.0 - dropout)) as f32;
        let values = (0..faces * units).map(|_| if rng.random_bool(dropout) { 0.0 } else { kept }).collect();
        Some(batches::table(values, units, device))
    }

    /// The tags of the faces at `chosen` as targets, and which of them are known.
    fn tags(&self, chosen: &[u32], device: &Device) -> Targets {
        let [no, yes] = [self.recipe.anet.smoothing / 2.0, 1.0 - self.recipe.anet.smoothing / 2.0];
        let entry = |face: &Face, attribute: usize| {
            let tag = face.tags.get(attribute).copied().flatten();
            tag.map_or((0.0, 0.0), |tag| (if tag { yes } else { no }, 1.0))
        };
        let entry = &entry;
        let rows = chosen.iter().flat_map(|place| {
            let face = &self.faces.faces[*place as usize];
            (0..self.attributes).map(move |attribute| entry(face, attribute))
        });
        let (targets, weights) = rows.unzip();
        Targets {
            targets: batches::table(targets, self.attributes, device),
            weights: batches::table(weights, self.attributes, device),
        }
    }
}

/// What a head shall say of each face, and how much it matters; both `N x A`.
struct Targets {
    targets: Tensor<2>,
    weights: Tensor<2>,
}

/// Patches and their tags.
pub struct AttributeBatch {
    input: Tensor<4>,
    tags: Targets,
    taught: TeacherTargets,
    /// `N x FC`: 0 for the dropped units, 1 / (1 - dropout) for the others.
    mask: Option<Tensor<2>>,
}

impl Task for Attributes<'_> {
    type Batch = AttributeBatch;

    fn name(&self) -> &str {
        self.name
    }

    fn images(&self) -> usize {
        self.train.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<AttributeBatch, TrainError> {
        let stage = &self.recipe.anet;
        let (epoch, range) = place(step, shard, self.train.len(), self.batch);
        let order = self.orders.get(epoch, || shuffled(self.train.len(), self.recipe.seed, epoch));
        let chosen: Vec<u32> = order[range].iter().map(|i| self.train[*i as usize]).collect();
        let input = patches(self.faces, &chosen, &stage.augment, self.recipe, epoch, device)?;
        Ok(AttributeBatch {
            input,
            mask: self.mask(step, shard, chosen.len(), device),
            tags: self.tags(&chosen, device),
            taught: self.modules.teachers.targets(paths(self.faces, &chosen), device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: AttributeBatch) -> Loss {
        let pass = self.modules.trunk.forward(values, batch.input, Mode::Train);
        let features = pass.output;
        let [n, c, h, w] = features.dims();
        let features = match batch.mask {
            Some(mask) => features * mask.reshape([n, c, h, w]),
            None => features,
        };
        let logits = self.modules.head.forward(values, features.clone(), Mode::Train).output;
        let Targets { targets, weights } = batch.tags;
        let tags = binary_cross_entropy(logits.reshape([n, self.attributes]), targets, weights);
        let loss = self.modules.teachers.beside(tags, values, &features, batch.taught);
        Loss { loss, statistics: pass.statistics }
    }

    fn criterion(&self) -> Option<Criterion> {
        Some(Criterion { figure: MEAN_AVERAGE_PRECISION, more_is_better: true })
    }

    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let (trunk, head) = (net_of(learner, &self.modules.trunk)?, net_of(learner, &self.modules.head)?);
        mean_average_precision(self.faces, &self.validation, self.recipe, &trunk, &head)
    }
}
