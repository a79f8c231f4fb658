//! What is measured; one section a file.

mod against;
mod build;
mod curve;
mod folder;
mod int8;
mod layers;
mod patches;
mod stages;
mod start;
mod whole;

use anyhow::Result;

use crate::report::Report;
use crate::settings::Settings;

/// A part of the page that can be asked for by name.
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Measures and adds to the report.
    pub run: fn(&Settings, &mut Report) -> Result<()>,
}

/// All of them, in the order of the page.
pub const ALL: &[Section] = &[
    Section { name: "nets", run: whole::run },
    Section { name: "layers", run: layers::run },
    Section { name: "patches", run: patches::run },
    Section { name: "stages", run: stages::run },
    Section { name: "int8", run: int8::run },
    Section { name: "start", run: start::run },
    Section { name: "folder", run: folder::run },
    Section { name: "sizes", run: curve::sizes },
    Section { name: "faces", run: curve::faces },
    Section { name: "folders", run: folder::curve },
    Section { name: "build", run: build::run },
    Section { name: "against", run: against::run },
];
