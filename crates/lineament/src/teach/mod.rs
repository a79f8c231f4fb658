//! Attributes of one's own: a linear SVM on the FC vectors of a bundle whose nets stay as they are, from a few pictures with the attribute and a few
//! without.
//!
//! [`look()`] turns pictures into FC vectors as prediction sees them, [`examples()`] pairs them with answers, [`learn()`] fits and cross-validates one
//! attribute and refuses where nothing was learned, and [`Bundle::with_lessons`](crate::Bundle::with_lessons) adds what was learned to the bundle.
//!
//! ```no_run
//! use lineament::teach::{self, Asked, Options};
//! use lineament::{Bundle, Tagger};
//! use std::path::{Path, PathBuf};
//!
//! let bundle = Bundle::embedded()?;
//! let tagger = Tagger::new(bundle.clone())?;
//! let pictures: Vec<(PathBuf, bool)> = vec![("freckles/a.jpg".into(), true), ("plain/b.jpg".into(), false)];
//! let mut asked = Vec::new();
//! for (path, answer) in &pictures {
//!     if let Some(look) = teach::look(&tagger, path)? {
//!         asked.push(Asked { name: path.display().to_string(), look, answer: *answer, person: None });
//!     }
//! }
//! let (examples, _repeated) = teach::examples("Freckles", &asked)?;
//! let lesson = teach::learn("Freckles", &examples, &Options::default())?;
//! println!("{:.2}", lesson.figures.balanced_accuracy);
//! bundle.with_lessons(&[lesson], false)?.write(Path::new("my.lineament"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod examples;
mod extend;
mod figures;
mod folds;
mod learn;
mod look;
mod question;
mod rule;
mod svm;

pub use error::TeachError;
pub use examples::{Asked, Example, examples};
pub use figures::{Advice, CurvePoint, Figures};
pub use folds::in_turn;
pub use learn::{Lesson, Options, learn};
pub use look::{Look, LookError, look, look_at};
pub use question::Question;
pub use rule::{RULES, Rule};
pub use svm::{Plane, fit};
