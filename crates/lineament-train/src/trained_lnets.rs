//! The LNets that a run's folder or a bundle holds.

use std::path::Path;

use lineament::Bundle;
use lineament::engine::Engine;
use lineament::input::Preprocess;
use lineament::locate::{LnetMethod, Localizer, LocalizerSpec};
use lineament_net::{Net, NetSpec, Weights};

use crate::checkpoint::write_whole;
use crate::detector;
use crate::error::TrainError;
use crate::folder;
use crate::recipe::{Nets, Recipe};

/// The file of a run's folder that says how its LNets lead to boxes.
const LOCALIZATION: &str = "localisation.json";

/// Whether a run's folder says how its LNets lead to boxes.
pub fn has_localization(folder: &Path) -> bool {
    folder.join(LOCALIZATION).exists()
}

/// Writes how the LNets lead to boxes into the run's folder.
///
/// # Errors
/// When the file can't be written.
pub fn save_localization(folder: &Path, chosen: &LnetMethod) -> Result<(), TrainError> {
    let text = serde_json::to_string_pretty(chosen).map_err(|e| TrainError::Net(e.to_string()))?;
    Ok(write_whole(&folder.join(LOCALIZATION), text.as_bytes())?)
}

/// The trained LNets of a run's folder, and how they lead to boxes.
///
/// # Errors
/// When stage `lnet_s` has not run there.
pub fn read(folder: &Path, nets: &Nets) -> Result<(Weights, Weights, LnetMethod), TrainError> {
    let lnet_o = folder::weights(folder, "svms", "lnet_o", "trunk", Some(&nets.lnet_o))?;
    let lnet_s = folder::weights(folder, "svms", "lnet_s", "trunk", Some(&nets.lnet_s))?;
    let path = folder.join(LOCALIZATION);
    let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
    let chosen = serde_json::from_str(&text)
        .map_err(|e| TrainError::Net(format!("{}: {e}; run stage lnet_s again", path.display())))?;
    Ok((lnet_o, lnet_s, chosen))
}

/// The LNets of a run's folder, with every response of LNet_s counting as a face, however weak: for the dominant face of photos that have one, and for
/// curves.
///
/// # Errors
/// When stage `lnet_s` has not run there.
pub fn open(folder: &Path, recipe: &Recipe) -> Result<Box<dyn Localizer>, TrainError> {
    let nets = &recipe.nets;
    let (lnet_o, lnet_s, chosen) = read(folder, nets)?;
    unbounded(chosen, (&nets.lnet_o, &lnet_o), (&nets.lnet_s, &lnet_s), recipe.preprocess)
}

/// The same for the LNets of a bundle.
///
/// # Errors
/// When its nets cannot be run, which no bundle that was opened brings about.
pub fn of_bundle(bundle: &Bundle) -> Result<Box<dyn Localizer>, TrainError> {
    let (card, parts) = (bundle.card(), bundle.parts());
    let mut spec = card.localizer.clone();
    match &mut spec {
        LocalizerSpec::Lnets(lnets) => unbound(&mut lnets.method),
        LocalizerSpec::Detector(detector) => detector.threshold = detector::LEAST,
        _ => {}
    }
    let net = |name: &str| parts.net(name);
    let localizer = spec.localizer(&Engine::Native, net, parts.detector.as_deref(), card.preprocess);
    localizer.map_err(|e| TrainError::Net(e.to_string()))
}

fn unbounded(
    mut method: LnetMethod,
    lnet_o: (&NetSpec, &Weights),
    lnet_s: (&NetSpec, &Weights),
    preprocess: Preprocess,
) -> Result<Box<dyn Localizer>, TrainError> {
    unbound(&mut method);
    let localizer = method.localizer(net(lnet_o.0, lnet_o.1)?, net(lnet_s.0, lnet_s.1)?, preprocess);
    localizer.map_err(|e| TrainError::Net(e.to_string()))
}

/// Lets every response pass.
fn unbound(method: &mut LnetMethod) {
    match method {
        LnetMethod::Paper(parameters) => {
            parameters.threshold = LEAST;
            parameters.candidate_threshold = LEAST;
        }
        LnetMethod::Pyramid(parameters) => {
            parameters.threshold = LEAST;
            parameters.second_look = LEAST;
            // LNet_s looks at what LNet_o makes anything of: all of the windows of a photo would cost seconds.
            parameters.candidate_threshold -= SPARE;
            parameters.candidates = parameters.candidates.min(MOST_CANDIDATES);
        }
        _ => {}
    }
}

/// A threshold that every response passes.
pub const LEAST: f32 = -1e30;

/// How far below the threshold of candidates LNet_o's response may lie where every response counts.
const SPARE: f32 = 3.0;

/// Candidates of a photo at most, there.
const MOST_CANDIDATES: usize = 64;

/// A net that is ready to run.
///
/// # Errors
/// When weights and spec do not fit, or the weights are not finite.
pub fn net(spec: &NetSpec, weights: &Weights) -> Result<Net, TrainError> {
    Net::new(spec, weights).map_err(|e| TrainError::Net(e.to_string()))
}
