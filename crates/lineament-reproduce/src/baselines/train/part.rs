//! Stages `part_NAME`: the net of one part of the face learns all attributes from what it sees of them.

use burn::tensor::{Device, Tensor};
use lineament::Rect;
use lineament_data::Split;
use lineament_lab::metrics::{Scored, average_precision, mean};
use lineament_net::{Layer, NetSpec};
use rayon::prelude::*;

use super::super::parts::{Frame, Part};
use super::faces::MarkedFaces;
use super::recipe::PartStage;
use lineament::input::Preprocess;
use lineament_train::TrainError;
use lineament_train::anet::head_spec;
use lineament_train::batches::{self, Orders, place, shuffled, stream};
use lineament_train::choice::Criterion;
use lineament_train::learner::Learner;
use lineament_train::losses::binary_cross_entropy;
use lineament_train::module::{Mode, Module};
use lineament_train::training_loop::{Loss, Task};
use lineament_train::validate::{MEAN_AVERAGE_PRECISION, net_of};

/// A part's net, and the layers behind it that answer for the attributes and are removed afterwards.
pub struct PartModules {
    /// What stays.
    pub trunk: Module,
    /// What is removed.
    pub head: Module,
}

impl PartModules {
    /// Trunk first, head behind it: where `hidden` is above 0, that many units an attribute before the answers.
    ///
    /// # Errors
    /// When the spec is refused.
    pub fn new(net: &NetSpec, attributes: usize, hidden: usize) -> Result<Self, TrainError> {
        let trunk = Module::new(net, 0)?;
        let mut head = head_spec(net, attributes)?;
        if hidden > 0 {
            let layer = Layer::Linear { name: "hidden".to_owned(), outputs: attributes * hidden, bias: true };
            head.layers.splice(0..0, [layer, Layer::Relu]);
        }
        let head = Module::new(&head, trunk.end())?;
        Ok(Self { trunk, head })
    }
}

/// Stage `part_NAME`.
pub struct Parts<'a> {
    /// The stage's name.
    pub name: String,
    /// The part.
    pub part: &'a Part,
    /// How it learns.
    pub stage: &'a PartStage,
    /// The faces.
    pub faces: &'a MarkedFaces,
    /// The net.
    pub modules: &'a PartModules,
    /// Pixels to network input.
    pub preprocess: Preprocess,
    /// Number of attributes.
    pub attributes: usize,
    /// Where random numbers come from.
    pub seed: u64,
    /// Places of the faces to learn from.
    pub training: Vec<u32>,
    /// Places of the faces to choose on.
    pub validation: Vec<u32>,
    /// Orders of epochs.
    pub orders: Orders,
}

impl<'a> Parts<'a> {
    /// The stage of one part.
    pub fn new(
        part: &'a Part,
        stage: &'a PartStage,
        faces: &'a MarkedFaces,
        modules: &'a PartModules,
        (preprocess, attributes, seed): (Preprocess, usize, u64),
    ) -> Self {
        Self {
            name: format!("part_{}", part.name),
            part,
            stage,
            faces,
            modules,
            preprocess,
            attributes,
            seed,
            training: faces.of(Split::Train),
            validation: faces.of(Split::Validation),
            orders: Orders::default(),
        }
    }

    /// The part as training sees it, moved and coloured at random. A mirrored face shows the part of the other side.
    fn patch(&self, index: u32, epoch: u64) -> Result<lineament::Photo, TrainError> {
        let (photo, landmarks) = self.faces.photo(index)?;
        let frame = Frame::of(&landmarks).map_err(|e| TrainError::Net(e.to_string()))?;
        let mut rng = stream(self.seed, epoch, u64::from(index));
        let change = self.stage.augment.draw(&mut rng);
        let ([x, y], [width, height]) = (self.part.centre, self.part.size);
        let x = if change.mirrored { -x } else { x };
        let rect = Rect::new(x - width / 2.0, y - height / 2.0, width, height);
        Ok(change.apply_in(&photo, &frame.map(), rect, self.part.pixels[0], None))
    }
}

/// Images of the part and the tags of their faces.
pub struct PartBatch {
    input: Tensor<4>,
    targets: Tensor<2>,
    weights: Tensor<2>,
}

impl Task for Parts<'_> {
    type Batch = PartBatch;

    fn name(&self) -> &str {
        &self.name
    }

    fn images(&self) -> usize {
        self.training.len()
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<PartBatch, TrainError> {
        let (epoch, range) = place(step, shard, self.training.len(), self.stage.schedule.batch);
        let order = self.orders.get(epoch, || shuffled(self.training.len(), self.seed, epoch));
        let chosen: Vec<u32> = order[range].iter().map(|at| self.training[*at as usize]).collect();
        let photos: Vec<_> = chosen.iter().map(|at| self.patch(*at, epoch)).collect::<Result<_, _>>()?;
        let [no, yes] = [self.stage.smoothing / 2.0, 1.0 - self.stage.smoothing / 2.0];
        let rows = chosen.iter().flat_map(|at| self.faces.faces[*at as usize].tags.iter());
        let (targets, weights) =
            rows.map(|tag| tag.map_or((0.0, 0.0), |tag| (if tag { yes } else { no }, 1.0))).unzip();
        Ok(PartBatch {
            input: batches::input(&photos, &self.preprocess, device),
            targets: batches::table(targets, self.attributes, device),
            weights: batches::table(weights, self.attributes, device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: PartBatch) -> Loss {
        let pass = self.modules.trunk.forward(values, batch.input, Mode::Train);
        let logits = self.modules.head.forward(values, pass.output, Mode::Train).output;
        let [n, _, _, _] = logits.dims();
        let logits = logits.reshape([n, self.attributes]);
        Loss { loss: binary_cross_entropy(logits, batch.targets, batch.weights), statistics: pass.statistics }
    }

    fn criterion(&self) -> Option<Criterion> {
        Some(Criterion { figure: MEAN_AVERAGE_PRECISION, more_is_better: true })
    }

    /// Mean average precision of the part alone.
    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let (trunk, head) = (net_of(learner, &self.modules.trunk)?, net_of(learner, &self.modules.head)?);
        let failed = |e: lineament_net::ForwardError| TrainError::Net(e.to_string());
        let scores = self
            .validation
            .par_iter()
            .map(|at| {
                let (photo, landmarks) = self.faces.photo(*at)?;
                let frame = Frame::of(&landmarks).map_err(|e| TrainError::Net(e.to_string()))?;
                let input = self.preprocess.tensor_of(&[frame.draw(&photo, self.part)]);
                let features = trunk.forward(&input).map_err(failed)?;
                Ok(head.forward(&features).map_err(failed)?.into_vec())
            })
            .collect::<Result<Vec<_>, TrainError>>()?;
        let precision = |attribute: usize| {
            let ranking: Vec<Scored> = self
                .validation
                .iter()
                .zip(&scores)
                .filter_map(|(at, scores)| {
                    let truth = self.faces.faces[*at as usize].tags.get(attribute).copied().flatten()?;
                    Some(Scored { score: scores[attribute], truth })
                })
                .collect();
            average_precision(&ranking)
        };
        Ok(vec![(MEAN_AVERAGE_PRECISION, mean((0..self.attributes).map(precision)))])
    }
}
