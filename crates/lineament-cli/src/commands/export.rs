//! `lineament export`: the model in use, as a file.

use anyhow::{Result, bail};

use super::Outcome;
use crate::arguments::ExportArguments;
use crate::{files, model, notes};

pub fn run(arguments: ExportArguments) -> Result<Outcome> {
    if arguments.onnx.is_some() {
        bail!(
            "ONNX export comes in a later release; --bundle OUT writes a safetensors file, whose card describes the nets for other programs"
        );
    }
    let Some(path) = arguments.bundle else {
        bail!("say what to write with --bundle OUT");
    };
    let bundle = model::bundle(&arguments.model)?;
    files::write_whole(&path, bundle.bytes())?;
    let card = bundle.card();
    notes::note(format!("{} {}, SHA-256 {}: {}", card.name, card.version, bundle.hash(), path.display()));
    Ok(Outcome::AllRead)
}
