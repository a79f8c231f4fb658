//! An image as the nets see it: upright, eight bits, red, green and blue.

mod decode;
mod encode;
mod error;
mod heif;
mod jp2;
mod jpeg;
mod jxl;
mod kind;
mod note;
mod orientation;
mod png;
mod raw;
mod tiff;
mod webp;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use crate::output::write_whole;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};

pub use encode::Encoding;
pub use error::PhotoError;
pub use note::Note;

/// What a file may ask for before it is refused unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width times height, as the header gives them.
    pub max_pixels: u64,
    /// Size of the file.
    pub max_bytes: u64,
}

/// What [`Limits::default`] gives, where a program has said so.
static DEFAULT: OnceLock<Limits> = OnceLock::new();

impl Limits {
    /// 250 million pixels, 512 MiB.
    pub const BUILT_IN: Self = Self { max_pixels: 250_000_000, max_bytes: 512 << 20 };

    /// Makes these what [`Limits::default`] gives in this process, for programs that let people choose. The first call counts; what is in
    /// use, which may be what an earlier call said, comes back.
    pub fn make_default(self) -> Self {
        *DEFAULT.get_or_init(|| self)
    }
}

impl Default for Limits {
    /// [`Limits::BUILT_IN`], or what [`Limits::make_default`] was given.
    fn default() -> Self {
        DEFAULT.get().copied().unwrap_or(Self::BUILT_IN)
    }
}

/// An upright image of at least one pixel: rows from the top, three bytes (red, green, blue) a pixel.
///
/// Photos of the same pixels are equal, whatever was noted of their files.
#[derive(Clone)]
pub struct Photo {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    notes: Vec<Note>,
}

impl PartialEq for Photo {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height, &self.pixels) == (other.width, other.height, &other.pixels)
    }
}

impl Eq for Photo {}

impl Photo {
    /// The formats that are read, for messages.
    pub const FORMATS: &'static str = error::FORMATS;

    /// A photo of `width * height * 3` bytes.
    ///
    /// # Errors
    /// [`PhotoError::NoPixels`] for a zero side, [`PhotoError::WrongLength`] where the bytes do not fit the
    /// size.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, PhotoError> {
        if width == 0 || height == 0 {
            return Err(PhotoError::NoPixels { width, height });
        }
        if u128::from(width) * u128::from(height) * 3 != pixels.len() as u128 {
            return Err(PhotoError::WrongLength { width, height, bytes: pixels.len() });
        }
        Ok(Self { width, height, pixels, notes: Vec::new() })
    }

    /// A photo of one colour; a side of zero is taken as one.
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let pixels = colour.repeat(width as usize * height as usize);
        Self { width, height, pixels, notes: Vec::new() }
    }

    /// Reads an image file, whatever its name ends in. If a sidecar lies beside it (`photo.jpg.xmp` or `photo.xmp`) that says how
    /// the image is turned, that counts more than what the file says.
    ///
    /// # Errors
    /// As [`Photo::decode`], and where the file cannot be read; always with the path.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, PhotoError> {
        let path = path.as_ref();
        read_file(path, limits)
            .and_then(|bytes| decode::decode(&bytes, limits, orientation::in_sidecar(path)))
            .map_err(|cause| PhotoError::At { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// How the file, or the sidecar beside it, asks viewers to turn its pixels: the EXIF orientation, 1 (as they are) to 8. Photos come
    /// turned already; whoever writes coordinates for other programs may need those of the pixels as they are stored.
    ///
    /// # Errors
    /// As [`Photo::open`]; the pixels themselves are not decoded.
    pub fn orientation(path: &Path, limits: &Limits) -> Result<u8, PhotoError> {
        read_file(path, limits)
            .and_then(|bytes| decode::orientation(&bytes, limits, orientation::in_sidecar(path)))
            .map_err(|cause| PhotoError::At { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// Reads an image held in memory: JPEG, PNG, GIF, WebP, HEIC, AVIF, JPEG XL, JPEG 2000, BMP, TIFF, PNM or a
    /// camera's raw file, told apart by its first bytes.
    ///
    /// The image comes upright (the orientation of EXIF or XMP applied), blended over white where it is transparent, 16
    /// bits rounded to 8, and of an animation the first image (of an animated PNG its still image). Of a
    /// TIFF it is the largest page, of a raw file the camera's preview; [`Photo::notes`] says so. Colour
    /// profiles are not applied.
    ///
    /// # Errors
    /// Names what is wrong: an unknown or unsupported format, a truncated or broken file, or one beyond
    /// `limits`, which is refused from its header, before its pixels are decoded.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, PhotoError> {
        decode::decode(bytes, limits, None)
    }

    /// What people should know of how the file was read; mostly nothing.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes: rows from the top, red, green, blue.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes, to be painted over.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The colour in column `x` of row `y`; `None` outside.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        self.pixels.get(at..at + 3).and_then(|rgb| rgb.try_into().ok())
    }

    /// The full image as a rectangle.
    pub fn rect(&self) -> crate::Rect {
        crate::Rect::new(0.0, 0.0, self.width as f32, self.height as f32)
    }

    /// The mirror image, left and right swapped.
    pub fn mirrored(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for row in self.pixels.chunks_exact(self.width as usize * 3) {
            row.rchunks_exact(3).for_each(|pixel| pixels.extend_from_slice(pixel));
        }
        Self { pixels, notes: self.notes.clone(), ..*self }
    }

    /// Writes a PNG, first beside `path` and then renamed to it, so that no half image is ever left there.
    ///
    /// # Errors
    /// [`PhotoError::NotWritten`] with the path and the cause.
    pub fn save_png(&self, path: &Path) -> Result<(), PhotoError> {
        write_whole(path, |file| {
            PngEncoder::new(std::io::BufWriter::new(file))
                .write_image(&self.pixels, self.width, self.height, ExtendedColorType::Rgb8)
                .map_err(std::io::Error::other)
        })
        .map_err(|error| PhotoError::NotWritten { path: path.to_owned(), reason: error.to_string() })
    }
}

impl TryFrom<RgbImage> for Photo {
    type Error = PhotoError;

    /// The same pixels, without a copy.
    ///
    /// # Errors
    /// [`PhotoError::NoPixels`] for a zero side.
    fn try_from(image: RgbImage) -> Result<Self, PhotoError> {
        let (width, height) = image.dimensions();
        Self::new(width, height, image.into_raw())
    }
}

impl TryFrom<DynamicImage> for Photo {
    type Error = PhotoError;

    /// As files are read: blended over white where the image is transparent, 16 bits rounded to 8.
    ///
    /// # Errors
    /// [`PhotoError::NoPixels`] for a zero side.
    fn try_from(image: DynamicImage) -> Result<Self, PhotoError> {
        decode::over_white(image).try_into()
    }
}

impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Photo({} x {})", self.width, self.height)
    }
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let unreadable = |error: std::io::Error| PhotoError::Unreadable { reason: error.to_string() };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(PhotoError::Unreadable { reason: "it is a folder, not a picture".into() });
    }
    let too_big = |bytes| PhotoError::TooManyBytes { bytes, limit: limits.max_bytes };
    if metadata.len() > limits.max_bytes {
        return Err(too_big(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // Pipes and growing files do not tell their size.
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits.max_bytes {
        return Err(too_big(bytes.len() as u64));
    }
    Ok(bytes)
}
