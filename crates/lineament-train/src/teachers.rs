//! What other models say, learned by heads of their own: distillation (Hinton, Vinyals and Dean, 2015).
//!
//! Each teacher has a linear layer behind the net's output, so that its leanings stay out of what the net itself is asked while the net learns from what the
//! teacher sees. The heads are removed after training.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use lineament_data::{Split, TeacherAnswers, TeacherTable};
use lineament_net::{Layer, NetSpec, Shape};

use crate::batches;
use crate::context::Context;
use crate::error::TrainError;
use crate::losses::{angle, binary_cross_entropy};
use crate::module::{Mode, Module};
use crate::sets::canonical;
use crate::stage::Stage;

/// What a teacher says of images, by their paths as the data sets name them.
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
        self.0.iter().any(|teacher| teacher.answers.rows.contains_key(path))
    }

    /// What they say of a batch of images, on `device`; nothing where an image has no path.
    pub fn targets<'p>(
        &self,
        paths: impl Iterator<Item = Option<&'p Path>>,
        device: &Device,
    ) -> TeacherTargets {
        if self.0.is_empty() {
            return Vec::new();
        }
        let paths: Vec<Option<&Path>> = paths.collect();
        let of_teacher = |teacher: &Teacher| {
            let width = teacher.answers.width;
            let (mut targets, mut weights) = (Vec::new(), Vec::new());
            for path in &paths {
                match path.and_then(|path| teacher.answers.rows.get(path)) {
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
            [batches::table(targets, width, device), batches::table(weights, width, device)]
        };
        self.0.iter().map(of_teacher).collect()
    }

    /// The loss `own` of the net itself and theirs, as [`Self::loss`] has it.
    pub fn beside(
        &self,
        own: Tensor<1>,
        values: &[Tensor<1>],
        features: &Tensor<4>,
        targets: TeacherTargets,
    ) -> Tensor<1> {
        match self.loss(values, features, targets) {
            Some(taught) => own + taught,
            None => own,
        }
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
    // The table and the data sets may name the same file differently, and two sets may hold it.
    let mut train: HashMap<PathBuf, Vec<&Path>> = HashMap::new();
    for sample in context.sets.iter().flat_map(|set| &set.samples).filter(|s| s.split == Split::Train) {
        train.entry(canonical(&sample.path)).or_default().push(&sample.path);
    }
    let (mut rows, mut missing, mut others) = (HashMap::new(), 0, 0);
    let (vectors, width) = (matches!(read.answers, TeacherAnswers::Vectors(_)), read.width());
    for (path, row) in read.rows {
        let Some(found) = folders.iter().map(|folder| folder.join(&path)).find(|path| path.is_file()) else {
            missing += 1;
            continue;
        };
        match train.get(&canonical(&found)) {
            Some(names) => rows.extend(names.iter().map(|name| (name.to_path_buf(), row.clone()))),
            None => others += 1,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    use lineament::Photo;
    use lineament_data::{Dataset, Framing, Sample};

    use super::*;
    use crate::folder::Folder;
    use crate::options::Base;
    use crate::recipe::{Distillation, Recipe};

    #[test]
    #[cfg(unix)]
    fn answers_are_found_by_the_names_that_data_sets_have_for_images() {
        let folder = tempfile::tempdir().unwrap();
        let (data, linked) = (folder.path().join("data"), folder.path().join("linked"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &linked).unwrap();
        let mut set = Dataset::new("party");
        for (base, name, split) in
            [(&linked, "one", Split::Train), (&data, "one", Split::Train), (&data, "kept", Split::Test)]
        {
            let path = base.join(format!("{name}.png"));
            Photo::filled(4, 4, [7; 3]).save_png(&path).unwrap();
            let mut sample = Sample::new(path, name.to_owned(), Framing::Photo);
            sample.split = split;
            set.samples.push(sample);
        }
        let table = data.join("teacher.csv");
        std::fs::write(&table, "path,Smiling\none.png,0.75\nkept.png,0.25\ngone.png,0.5\n").unwrap();

        let mut recipe = Recipe::named("drawn").unwrap();
        let teacher = Distillation {
            table: table.to_string_lossy().into_owned(),
            stages: vec![Stage::Anet],
            weight: 1.0,
        };
        recipe.distillation = BTreeMap::from([("other".to_owned(), teacher)]);
        let stop = AtomicBool::new(false);
        let context = Context {
            recipe: &recipe,
            sets: vec![set],
            data: std::slice::from_ref(&data),
            attributes: vec!["Smiling".to_owned()],
            folder: Folder::new(folder.path(), &stop),
            base: &Base::Nothing,
            detector: None,
        };
        let teachers = Teachers::of_stage(&context, Stage::Anet, 3, 0).unwrap();
        let paths = [linked.join("one.png"), data.join("one.png"), data.join("kept.png")];
        assert_eq!(paths.each_ref().map(|path| teachers.know(path)), [true, true, false]);
        let asked = paths.iter().map(|path| Some(path.as_path())).chain([None]);
        let [targets, weights] = teachers.targets(asked, &Device::flex()).pop().unwrap();
        let numbers = |table: Tensor<2>| table.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(numbers(targets), [0.75, 0.75, 0.0, 0.0]);
        assert_eq!(numbers(weights), [1.0, 1.0, 0.0, 0.0]);
    }
}
