//! The folder of a run: its recipe, what its stages wrote, and how they are watched and stopped.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lineament_net::{NetSpec, Precision, Weights};

use crate::checkpoint::write_whole;
use crate::device::TrainingDevice;
use crate::error::TrainError;
use crate::training_loop::Surroundings;

/// A run's folder.
#[derive(Clone)]
pub struct Folder<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What is computed on.
    pub device: TrainingDevice,
    /// Draw progress bars.
    pub progress: bool,
    /// Set from outside to stop at the next step with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Stop after so many steps in all; for tests of resuming.
    pub step_limit: Option<u64>,
}

impl<'a> Folder<'a> {
    /// A folder whose stages compute on the processor, show no progress and run to their ends.
    pub fn new(path: &'a Path, stop: &'a AtomicBool) -> Self {
        Self { path, device: TrainingDevice::cpu(), progress: false, stop, step_limit: None }
    }

    /// Makes the folder and keeps the recipe (TOML text) in it. One that holds a run already is only gone on with where it is asked for, and
    /// with the same recipe (`same` is asked about the text of the one that is there); a single stage may be run with another.
    ///
    /// # Errors
    /// When there is another run, or the file can't be written.
    pub fn prepare(
        &self,
        recipe: &str,
        same: impl Fn(&str) -> Result<bool, TrainError>,
        resume: bool,
        one_stage: bool,
    ) -> Result<(), TrainError> {
        std::fs::create_dir_all(self.path).map_err(|e| TrainError::io(self.path, e))?;
        let kept = self.path.join("recipe.toml");
        if kept.exists() && !one_stage {
            if !resume {
                return Err(TrainError::RunExists(self.path.to_path_buf()));
            }
            let text = std::fs::read_to_string(&kept).map_err(|e| TrainError::io(&kept, e))?;
            if !same(&text)? {
                return Err(TrainError::Recipe(format!(
                    "{} is of another recipe; go on with that one, or name another --output folder",
                    kept.display()
                )));
            }
        }
        Ok(write_whole(&kept, recipe.as_bytes())?)
    }

    /// What a stage writes when it is done.
    pub fn result(&self, stage: &str) -> PathBuf {
        result(self.path, stage)
    }

    /// How a stage is run: where, and when it stops.
    pub fn around(&self) -> Surroundings<'_> {
        Surroundings {
            folder: self.path,
            device: &self.device,
            stop: self.stop,
            progress: self.progress,
            step_limit: self.step_limit,
        }
    }

    /// Writes the weights of a finished stage, net by net.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, stage: &str, nets: &[(&str, &Weights)]) -> Result<(), TrainError> {
        let path = self.result(stage);
        let mut stored = Vec::new();
        for (prefix, weights) in nets {
            stored.extend(
                weights.to_tensors(prefix, Precision::F32).map_err(|e| TrainError::Net(e.to_string()))?,
            );
        }
        let bytes = safetensors::serialize(stored, None).map_err(|e| TrainError::Net(e.to_string()))?;
        write_whole(&path, &bytes)?;
        Ok(())
    }

    /// Weights that an earlier stage, `by`, wrote.
    ///
    /// # Errors
    /// When that stage has not run, or its file is damaged.
    pub fn weights(
        &self,
        stage: &'static str,
        by: &str,
        prefix: &str,
        net: Option<&NetSpec>,
    ) -> Result<Weights, TrainError> {
        weights(self.path, stage, by, prefix, net)
    }
}

/// The file of a stage's result in a run's folder.
pub fn result(folder: &Path, stage: &str) -> PathBuf {
    let name = if stage == "svms" { "model.lineament".to_owned() } else { format!("{stage}.safetensors") };
    folder.join(name)
}

/// [`Folder::weights`] where nothing is to be run: whoever only reads needs no more than the place.
///
/// # Errors
/// As there.
pub fn weights(
    folder: &Path,
    stage: &'static str,
    by: &str,
    prefix: &str,
    net: Option<&NetSpec>,
) -> Result<Weights, TrainError> {
    let path = result(folder, by);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(TrainError::Missing { stage, needs: path, by: by.to_owned() });
        }
        Err(e) => return Err(TrainError::io(&path, e)),
    };
    let damaged = |e: lineament_net::WeightsError| TrainError::Net(format!("{}: {e}", path.display()));
    let weights = Weights::from_safetensors(&bytes, prefix).map_err(damaged)?;
    if let Some(net) = net {
        weights.check(net).map_err(damaged)?;
    }
    Ok(weights)
}

/// Removes a file; one that is not there is removed already.
///
/// # Errors
/// When it can't be removed.
pub fn forget(path: &Path) -> Result<(), TrainError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(path, e)),
        _ => Ok(()),
    }
}
