use lineament_net::NetSpec;

use super::*;
use crate::batches::{self, place, stream};
use crate::folder::Folder;
use crate::losses::binary_cross_entropy;
use crate::module::{Mode, Module};
use crate::recipe::Recipe;

/// Numbers whose sign is to be learned, and a validation figure that is best in the second epoch.
struct Signs<'a> {
    module: &'a Module,
    criterion: Option<Criterion>,
}

const IMAGES: usize = 24;
const FIGURES: [f64; 6] = [0.5, 0.7, 0.6, 0.65, 0.7, 0.9];

impl Task for Signs<'_> {
    type Batch = [Tensor<2>; 2];

    fn name(&self) -> &str {
        "signs"
    }

    fn images(&self) -> usize {
        IMAGES
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<Self::Batch, TrainError> {
        let mut rng = stream(3, step, shard as u64);
        let (_, range) = place(step, shard, IMAGES, 8);
        let numbers: Vec<f32> = range.map(|_| rand::Rng::random_range(&mut rng, -1.0..1.0)).collect();
        let signs = numbers.iter().map(|number| if *number > 0.0 { 1.0 } else { 0.0 }).collect();
        Ok([numbers, signs].map(|values| batches::table(values, 1, device)))
    }

    fn loss(&self, values: &[Tensor<1>], [numbers, signs]: Self::Batch) -> Loss {
        let [n, _] = numbers.dims();
        let pass = self.module.forward(values, numbers.reshape([n, 1, 1, 1]), Mode::Train);
        let loss = binary_cross_entropy(pass.output.reshape([n, 1]), signs.clone(), signs.ones_like());
        Loss { loss, statistics: pass.statistics }
    }

    fn criterion(&self) -> Option<Criterion> {
        self.criterion
    }

    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let epoch = learner.steps() as usize / (IMAGES / 8);
        Ok(vec![("figure", FIGURES[epoch - 1])])
    }
}

fn module() -> Module {
    let text = "name = \"one\"\ninput = { channels = 1, height = 1, width = 1 }\n\
                layers = [{ kind = \"linear\", name = \"head\", outputs = 1 }]";
    Module::new(&toml::from_str::<NetSpec>(text).unwrap(), 0).unwrap()
}

fn schedule(patience: Option<u64>) -> Schedule {
    let schedule = Recipe::named("drawn").unwrap().anet.schedule;
    Schedule { epochs: FIGURES.len() as u64, batch: 8, again: None, patience, ..schedule }
}

const FIGURE: Option<Criterion> = Some(Criterion { figure: "figure", more_is_better: true });

/// Trains in `folder`, up to `step_limit` more steps; gives the weights and the epochs of the log.
fn trained(
    folder: &Path,
    patience: Option<u64>,
    step_limit: Option<u64>,
) -> (Result<(), TrainError>, Vec<f32>, usize) {
    let (module, stop) = (module(), AtomicBool::new(false));
    let (task, schedule) = (Signs { module: &module, criterion: FIGURE }, schedule(patience));
    let run_folder = Folder { step_limit, ..Folder::new(folder, &stop) };
    let mut learner = Learner::new(&[&module], &schedule, 1, &run_folder.device);
    let result = run(&task, &mut learner, &schedule, &run_folder.around());
    let weights = learner.weights(&module).iter().flat_map(|(_, array)| array.data.clone()).collect();
    let epochs = crate::log::read(&folder.join("signs.csv")).unwrap().len();
    (result, weights, epochs)
}

#[test]
fn a_stage_without_a_better_epoch_stops_with_its_best_weights() {
    let folder = |()| tempfile::tempdir().unwrap();
    let [all, second, patient, killed] = [(); 4].map(folder);
    let (done, last, epochs) = trained(all.path(), None, None);
    assert!(done.is_ok() && epochs == 6);
    let (_, best, _) = trained(second.path(), None, Some(2 * 3));
    assert_ne!(best, last);

    let (done, weights, epochs) = trained(patient.path(), Some(2), None);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!((weights, epochs), (best.clone(), 4), "stopped two epochs after the best");
    let (done, again, _) = trained(patient.path(), Some(2), None);
    assert!(done.is_ok() && again == best, "a stage that is done stays so");

    let (stopped, ..) = trained(killed.path(), Some(2), Some(7));
    assert!(matches!(stopped, Err(TrainError::Interrupted { .. })));
    let (done, resumed, epochs) = trained(killed.path(), Some(2), None);
    assert!(done.is_ok() && (resumed, epochs) == (best, 4), "stopped and gone on with");

    // The last figure is the best of all: whoever waits longer finds it.
    let longer = folder(());
    let (_, weights, epochs) = trained(longer.path(), Some(5), None);
    assert_eq!((weights, epochs), (last, 6));
    assert!(longer.path().join("curves.html").exists());
}

#[test]
fn patience_without_a_figure_is_refused() {
    let (module, stop, folder) = (module(), AtomicBool::new(false), tempfile::tempdir().unwrap());
    let (task, schedule) = (Signs { module: &module, criterion: None }, schedule(Some(2)));
    let run_folder = Folder::new(folder.path(), &stop);
    let mut learner = Learner::new(&[&module], &schedule, 1, &run_folder.device);
    let refused = run(&task, &mut learner, &schedule, &run_folder.around()).unwrap_err().to_string();
    assert!(refused.contains("signs") && refused.contains("patience"), "{refused}");
}
