//! What other models say, learned by heads of their own: distillation (Hinton, Vinyals and Dean, 2015).
//!
//! Each teacher has a linear layer behind the net's output, so that its leanings stay out of what the net itself is asked while the net learns from what the
//! teacher sees. The heads are removed after training.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use lineament_data::{Sample, Split, TeacherAnswers, TeacherTable};
use lineament_net::{Layer, NetSpec, Shape};

use crate::batches;
use crate::context::Context;
use crate::error::TrainError;
use crate::losses::{angle, binary_cross_entropy};
use crate::module::{Mode, Module};
use crate::stage::Stage;

/// What a teacher says of images, by their absolute paths.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Whether they are vectors; else probabilities, not a number where one is not given.
    pub vectors: bool,
    /// Numbers of an answer.
    pub width: usize,
    /// The answers.
    pub rows: HashMap<PathBuf, Vec<f32>>,
}

/// A teacher and its head.
struct Teacher {
    answers: Answers,
    weight: f64,
    head: Module,
}

/// The teachers of a stage.
#[derive(Default)]
pub struct Teachers(Vec<Teacher>);

/// What the teachers say of a batch: a table of targets and one of weights each, `N x K`.
pub type TeacherTargets = Vec<[Tensor<2>; 2]>;

impl Teachers {
    /// Those that the recipe names for `stage`, behind a net whose output has `channels`; their parameters begin at `offset`.
    ///
    /// # Errors
    /// A table that is missing or wrong, or of which no image is among those to learn from.
    pub fn of_stage(
        context: &Context<'_>,
        stage: Stage,
        channels: usize,
        offset: usize,
    ) -> Result<Self, TrainError> {
        Self::default().and_of_stage(context, stage, channels, offset)
    }

    /// These, and behind them those that the recipe names for `stage`.
    ///
    /// # Errors
    /// As [`Self::of_stage`].
    pub fn and_of_stage(
        mut self,
        context: &Context<'_>,
        stage: Stage,
        channels: usize,
        offset: usize,
    ) -> Result<Self, TrainError> {
        for (name, distillation) in &context.recipe.distillation {
            if distillation.stages.contains(&stage) {
                let answers = read(context, name, &distillation.table)?;
                self.add(answers, distillation.weight, channels, offset)?;
            }
        }
        Ok(self)
    }

    /// Adds one behind the others.
    ///
    /// # Errors
    /// When its head is no net.
    pub fn add(
        &mut self,
        answers: Answers,
        weight: f64,
        channels: usize,
        offset: usize,
    ) -> Result<(), TrainError> {
        let head = NetSpec {
            name: format!("teacher-{}", self.0.len()),
            input: Shape { channels, height: 1, width: 1 },
            layers: vec![Layer::Linear { name: "head".to_owned(), outputs: answers.width, bias: true }],
        };
        let offset = self.0.last().map_or(offset, |teacher| teacher.head.end());
        let head = Module::new(&head, offset)?;
        self.0.push(Teacher { answers, weight, head });
        Ok(())
    }

    /// The heads, in their order.
    pub fn heads(&self) -> impl Iterator<Item = &Module> {
        self.0.iter().map(|teacher| &teacher.head)
    }

    /// Whether one of them says something of an image.
    pub fn know(&self, path: &Path) -> bool {
        !self.0.is_empty() && {
            let path = absolute(path);
            self.0.iter().any(|teacher| teacher.answers.rows.contains_key(&path))
        }
    }

    /// What they say of a batch of images; nothing where an image has no path.
    pub fn targets<'p>(&self, paths: impl Iterator<Item = Option<&'p Path>>) -> TeacherTargets {
        if self.0.is_empty() {
            return Vec::new();
        }
        let paths: Vec<Option<PathBuf>> = paths.map(|path| path.map(absolute)).collect();
        let of_teacher = |teacher: &Teacher| {
            let width = teacher.answers.width;
            let (mut targets, mut weights) = (Vec::new(), Vec::new());
            for path in &paths {
                match path.as_ref().and_then(|path| teacher.answers.rows.get(path)) {
                    Some(row) => {
                        targets.extend(row.iter().map(|value| if value.is_nan() { 0.0 } else { *value }));
                        weights.extend(row.iter().map(|value| if value.is_nan() { 0.0 } else { 1.0 }));
                    }
                    None => {
                        targets.extend(std::iter::repeat_n(0.0, width));
                        weights.extend(std::iter::repeat_n(0.0, width));
                    }
                }
            }
            [batches::table(targets, width), batches::table(weights, width)]
        };
        self.0.iter().map(of_teacher).collect()
    }

    /// The weighted sum of their losses under the parameters `values`; `features` is the net's output, `N x C x H x W`, of which the heads see the mean over
    /// places. None without teachers.
    pub fn loss(
        &self,
        values: &[Tensor<1>],
        features: &Tensor<4>,
        targets: TeacherTargets,
    ) -> Option<Tensor<1>> {
        if self.0.is_empty() {
            return None;
        }
        let mean = features.clone().mean_dim(3).mean_dim(2);
        let losses = self.0.iter().zip(targets).map(|(teacher, [targets, weights])| {
            let said = teacher.head.forward(values, mean.clone(), Mode::Train).output;
            let [n, k, _, _] = said.dims();
            let said = said.reshape([n, k]);
            let loss = if teacher.answers.vectors {
                angle(said, targets, weights)
            } else {
                binary_cross_entropy(said, targets, weights)
            };
            loss * teacher.weight
        });
        losses.reduce(|sum, loss| sum + loss)
    }
}

/// Reads a table and finds its images. Those that are not there, or not for training, are passed over.
fn read(context: &Context<'_>, name: &str, table: &str) -> Result<Answers, TrainError> {
    let file = context.file(table);
    let read = TeacherTable::read(&file)?.in_order_of(&context.attributes, &file)?;
    let beside = file.parent().map(Path::to_path_buf);
    let folders: Vec<&PathBuf> = beside.iter().chain(context.data).collect();
    let train: HashSet<PathBuf> = {
        let all = context.sets.iter().flat_map(|set| &set.samples);
        all.filter(|sample: &&Sample| sample.split == Split::Train).map(|s| absolute(&s.path)).collect()
    };
    let (mut rows, mut missing, mut others) = (HashMap::new(), 0, 0);
    let (vectors, width) = (matches!(read.answers, TeacherAnswers::Vectors(_)), read.width());
    for (path, row) in read.rows {
        let Some(found) = folders.iter().map(|folder| folder.join(&path)).find(|path| path.is_file()) else {
            missing += 1;
            continue;
        };
        let found = absolute(&found);
        if train.contains(&found) {
            rows.insert(found, row);
        } else {
            others += 1;
        }
    }
    tracing::info!(
        "{name}: a teacher's {} of {} pictures; passed over: {missing} that are not there, {others} that are not for training",
        if vectors { "vectors" } else { "probabilities" },
        rows.len()
    );
    if rows.is_empty() {
        let why = format!(
            "distillation.{name}: no picture of {} is one to learn from; its paths must be absolute, or relative to the table or to a --data folder",
            file.display()
        );
        return Err(TrainError::Recipe(why));
    }
    Ok(Answers { vectors, width, rows })
}

/// The same file may be named from elsewhere.
pub fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
