//! What Python cannot do itself: images in, numbers out, on the threads of one model. `python/lineament/` makes objects of them.

mod errors;
mod image;
mod pixels;
mod process;
mod tagger;
mod work;

use pyo3::prelude::*;

/// The compiled half of the package `lineament`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::tagger::Tagger;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "a Python name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
