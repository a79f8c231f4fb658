//! Faces and their attributes in XMP sidecars, as photo libraries (digiKam, Lightroom) read them beside a photo.
//!
//! [`merge`] changes no byte of a sidecar but those of our own entries, and refuses one that it does not understand; [`fresh`] begins
//! a new one, and [`carried`] one of a photo that says something of itself already ([`Embedded`]). Text in, text out: files are the
//! caller's.

mod area;
mod carry;
mod embedded;
mod error;
mod merge;
mod regions;
mod tree;

pub use area::Area;
pub use carry::carried;
pub use embedded::{Embedded, Iptc, Record};
pub use error::SidecarError;
pub use merge::{fresh, is_only_ours, merge};

/// What a sidecar is to hold of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Names of the attributes that a face has, each once.
    pub keywords: Vec<String>,
    /// Where the faces are.
    pub regions: Vec<Region>,
    /// Width and height of the image as it is stored, in pixels.
    pub stored: [u32; 2],
    /// The name, version and short hash of the model.
    pub model_label: String,
    /// Whether digiKam's own tree of tags is written.
    pub digikam: bool,
}

/// A face.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Where it stands in the image as it is stored.
    pub area: Area,
    /// Names of its attributes.
    pub attributes: Vec<String>,
}
