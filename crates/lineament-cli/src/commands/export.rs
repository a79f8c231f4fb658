//! `lineament export`: the model in use, as files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::Bundle;
use lineament::onnx::{OnnxFile, onnx_files, whole_file};
use lineament_net::Arithmetic;

use super::Outcome;
use crate::arguments::ModelArguments;
use crate::outputs::{self, ForceArguments, Kind, Output};
use crate::{export_readme, export_whole, files, model, notes};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ExportArguments {
    /// Write the model in use, as one safetensors file with its card
    #[arg(long, value_name = "OUT", required_unless_present = "onnx")]
    pub bundle: Option<PathBuf>,
    /// Write the nets and the attribute half as ONNX to this folder, with a README.md that says how to use them
    #[arg(long, value_name = "DIR")]
    pub onnx: Option<PathBuf>,
    /// With --onnx: write one graph alone, faces.onnx, that takes a photo and gives faces with attributes
    #[arg(long, requires = "onnx")]
    pub whole: bool,
    /// With --whole: its nets' convolutions in eight-bit integers (QuantizeLinear and DequantizeLinear around them)
    #[arg(long, requires = "whole")]
    pub int8: bool,
    #[command(flatten)]
    pub force: ForceArguments,
    #[command(flatten)]
    pub model: ModelArguments,
}

pub fn run(arguments: ExportArguments) -> Result<Outcome> {
    if arguments.bundle.is_none() && arguments.onnx.is_none() {
        bail!("say what to write with --bundle OUT or --onnx DIR");
    }
    let (force, model) = (arguments.force, arguments.model.model.as_deref());
    let bundle = model::bundle(&arguments.model)?;
    if let Some(path) = arguments.bundle.as_deref().filter(|path| !holds(path, bundle.bytes())) {
        Output { path, kind: Kind::Model, fixed: true, force }.check(model)?;
    }
    if let Some(path) = &arguments.bundle {
        files::write_whole(path, bundle.bytes())?;
        say(&bundle, path);
    }
    if let Some(folder) = &arguments.onnx {
        let whole = arguments.whole.then_some(match arguments.int8 {
            true => Arithmetic::EightBit,
            false => Arithmetic::Single,
        });
        write_onnx(&bundle, folder, whole, force)?;
        say(&bundle, folder);
    }
    Ok(Outcome::AllRead)
}

/// One graph in some arithmetic, or several.
fn write_onnx(
    bundle: &Bundle,
    folder: &Path,
    whole: Option<Arithmetic>,
    force: ForceArguments,
) -> Result<()> {
    let written = match whole {
        Some(arithmetic) => {
            whole_file(bundle, arithmetic).map(|file| (vec![file], export_whole::page(bundle, arithmetic)))
        }
        None => onnx_files(bundle).and_then(|files| Ok((files, export_readme::page(bundle)?))),
    };
    let (files, readme) = written.context("the model cannot be written as ONNX")?;
    let readme = OnnxFile { name: "README.md", bytes: readme.into_bytes() };
    let files: Vec<&OnnxFile> = files.iter().chain([&readme]).collect();
    for file in &files {
        let path = folder.join(file.name);
        if !holds(&path, &file.bytes) {
            outputs::may_replace(&path, force)?;
        }
    }
    files::make_folder(folder)?;
    files.iter().try_for_each(|file| files::write_whole(&folder.join(file.name), &file.bytes))
}

/// Whether a file is there already as it would be written: then nothing is lost.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    std::fs::metadata(path).is_ok_and(|known| known.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|there| there == bytes)
}

fn say(bundle: &Bundle, path: &Path) {
    let card = bundle.card();
    notes::note(format!("{} {}, SHA-256 {}: {}", card.name, card.version, bundle.hash(), path.display()));
}
