//! `lineament page`: the page without a service, as files for any host.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::Outcome;
use crate::arguments::ModelArguments;
use crate::outputs::{self, ForceArguments};
use crate::runtime::Runtime;
use crate::{files, model, notes, site};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct PageArguments {
    /// The folder to write the page to
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// The package onnxruntime-web as npm packs it, in the version that the page needs [default: npm fetches it]
    #[arg(long, value_name = "FILE.tgz")]
    pub runtime: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArguments,
    #[command(flatten)]
    pub model: ModelArguments,
}

pub fn run(arguments: PageArguments) -> Result<Outcome> {
    let PageArguments { output, runtime, force, model } = arguments;
    for path in site::paths() {
        outputs::may_replace(&output.join(path), force)?;
    }
    let bundle = model::bundle(&model)?;
    let graph = site::graph(&bundle)?;
    let site = site::files(graph, Runtime::find(runtime.as_deref())?)?;
    for file in &site {
        let path = output.join(file.path);
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        files::write_whole(&path, &file.bytes)?;
    }
    let (card, size) = (bundle.card(), site.iter().map(|file| file.bytes.len()).sum::<usize>());
    notes::note(format!(
        "{} {}, {:.1} MB: {}",
        card.name,
        card.version,
        size as f64 / 1e6,
        output.join("index.html").display()
    ));
    Ok(Outcome::AllRead)
}
