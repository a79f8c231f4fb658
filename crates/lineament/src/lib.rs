//! Faces and their attributes from a photo.
//!
//! * A [`Bundle`] is a model in one file: nets, linear classifiers, and a [`Card`] that says what they are.
//! * A [`Source`] is an image: a path, the bytes of a file, or pixels. It is read as an upright [`Photo`].
//! * A localizer finds each [`Face`] of a photo ([`locate`]).
//! * A feature extractor makes an embedding of the face's region; a linear SVM reads each attribute from it, and its score
//!   becomes a calibrated probability and an answer ([`attributes`]).
//! * A [`Tagger`] does all of it and returns a [`Prediction`]: faces with each [`Attribute`] by name. [`Selection`] says
//!   which attributes, and from where on they count as present.
//! * An [`Engine`] runs the nets; [`explain`] says what an answer rests on.
//!
//! ```
//! use lineament::Tagger;
//!
//! # let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/astronaut.png");
//! let tagger = Tagger::embedded()?;
//! let prediction = tagger.predict(photo)?;
//! let face = &prediction.faces[0];
//! assert!(face["Smiling"].present && face["Smiling"].probability > 0.9);
//! for attribute in face.present() {
//!     println!("{}: {:.2}", attribute.name, attribute.probability);
//! }
//! # Ok::<(), lineament::Error>(())
//! ```
//!
//! Attributes are labels that people gave to photos, not facts about a person.
//!
//! | feature | adds |
//! |---|---|
//! | `default-model` (on) | the default model, compiled in: [`Tagger::embedded`] |
//! | `ort` | ONNX Runtime as a second engine, loaded at run time |
//! | `openapi` | schemas of the answers for OpenAPI |
//! | `testing` | a tiny model with random weights, for tests of programs that use the library |

pub mod attributes;
pub mod bundle;
pub mod crop;
pub mod engine;
mod error;
pub mod explain;
mod geometry;
pub mod input;
pub mod locate;
pub mod onnx;
pub mod output;
pub mod path_text;
mod photo;
pub mod prediction;
mod selection;
mod source;
mod tagger;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod threads;

pub use attributes::OperatingPoint;
pub use bundle::{Bundle, BundleError, Card};
pub use engine::Engine;
pub use error::{Error, Result};
pub use geometry::{Affine, Point, Rect};
pub use locate::{Face, Faces, Search, SmallestFace};
pub use photo::{Encoding, Limits, Note, Photo, PhotoError};
pub use prediction::{Attribute, Attributes, FaceRecord, Prediction};
pub use selection::Selection;
pub use source::Source;
pub use tagger::{FaceArea, Tagger, TaggerBuilder};
pub use threads::{Threads, ThreadsError};
