//! What can be wrong with an image.

use std::path::PathBuf;

/// As [`Photo::FORMATS`](super::Photo::FORMATS).
pub(super) const FORMATS: &str =
    "JPEG, PNG, GIF, WebP, HEIC, AVIF, JPEG XL, JPEG 2000, BMP, TIFF, PNM and raw files with a preview";

/// Why an image was refused; each message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhotoError {
    /// A cause with the file that it concerns.
    #[error("{}: {cause}", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: Box<PhotoError>,
    },
    /// The file system refused.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// As the system gives it.
        reason: String,
    },
    /// A file without a byte in it.
    #[error("is empty: copy or download the picture again")]
    Empty,
    /// None of the formats that are read.
    #[error(
        "not a picture format Lineament reads: {found}; it reads {FORMATS}: convert the picture to one of them"
    )]
    UnknownFormat {
        /// What the first bytes look like.
        found: String,
    },
    /// A kind of a known format that no decoder here knows.
    #[error(
        "a {format} of a kind Lineament does not read: {reason}; save it anew as an ordinary JPEG or PNG"
    )]
    Unsupported {
        /// Name of the format.
        format: &'static str,
        /// The kind.
        reason: String,
    },
    /// The file ends before the image does.
    #[error("truncated: the {format} ends before the picture does; copy or download it again")]
    Truncated {
        /// Name of the format.
        format: &'static str,
    },
    /// The bytes contradict the format.
    #[error("broken {format}: {reason}; open it in an image editor and save it anew, or leave it out")]
    Broken {
        /// Name of the format.
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// More pixels than [`Limits`](super::Limits) allows.
    #[error(
        "too large: {width} x {height} pixels, more than max_pixels allows, {limit}; shrink it or raise the limit (--max-pixels, in millions)"
    )]
    TooManyPixels {
        /// As the header gives it.
        width: u32,
        /// As the header gives it.
        height: u32,
        /// The limit, in pixels.
        limit: u64,
    },
    /// More bytes than [`Limits`](super::Limits) allows.
    #[error(
        "too large: a file of {bytes} bytes or more, the limit is {limit} (max_bytes); save it smaller or compressed"
    )]
    TooManyBytes {
        /// Size of the file, as far as it was read.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A side of zero pixels.
    #[error("no pixels: the picture is {width} x {height}; leave it out")]
    NoPixels {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// Pixels given in memory that do not fill the size.
    #[error("{bytes} bytes for a photo of {width} x {height}: give width x height x 3, red, green, blue")]
    WrongLength {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Number of bytes given.
        bytes: usize,
    },
    /// The image does not fit the format that it was to be written in.
    #[error("the picture cannot be encoded: {reason}; write a smaller one, or a PNG")]
    NotEncoded {
        /// As the encoder gives it.
        reason: String,
    },
    /// The image could not be written.
    #[error("{}: cannot be written: {reason}; check that the folder exists and may be written to", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// As the system gives it.
        reason: String,
    },
}
