//! What an image may be given as.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use image::{DynamicImage, RgbImage};

use crate::photo::{Limits, Photo, PhotoError};

/// An image on its way to a tagger: a path, the bytes of a file, or pixels. Made by `into()` from what a caller has.
///
/// | given | taken as |
/// |---|---|
/// | `&str`, `String`, `&OsStr`, `&Path`, `PathBuf` | the path of a file |
/// | `&[u8]`, `&[u8; N]`, `Vec<u8>`, `&Vec<u8>` | the bytes of a file, of any of [`Photo::FORMATS`] |
/// | `&image::RgbImage`, `&image::DynamicImage`, or owned | pixels; transparent ones are blended over white |
/// | `(width, height, &[u8])`, `(width, height, Vec<u8>)` | rows from the top, three bytes (red, green, blue) a pixel |
/// | `&Photo`, `Photo` | pixels |
///
/// Files are read and decoded when the image's turn comes, within the tagger's [`Limits`], and come upright. Owned pixels
/// are not copied.
#[derive(Clone, Debug)]
pub struct Source<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    Path(Cow<'a, Path>),
    Bytes(Cow<'a, [u8]>),
    Rgb(Cow<'a, RgbImage>),
    Dynamic(Cow<'a, DynamicImage>),
    Raw(u32, u32, Cow<'a, [u8]>),
    Photo(Cow<'a, Photo>),
}

impl<'a> Source<'a> {
    /// The path, where the image was given by one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Reads and decodes what is still to be read.
    ///
    /// # Errors
    /// A file that cannot be read, or pixels that do not fill their size.
    pub fn read(self, limits: &Limits) -> Result<Cow<'a, Photo>, PhotoError> {
        Ok(Cow::Owned(match self.0 {
            Kind::Photo(photo) => return Ok(photo),
            Kind::Path(path) => Photo::open(&path, limits)?,
            Kind::Bytes(bytes) => Photo::decode(&bytes, limits)?,
            Kind::Rgb(image) => image.into_owned().try_into()?,
            Kind::Dynamic(image) => image.into_owned().try_into()?,
            Kind::Raw(width, height, pixels) => Photo::new(width, height, pixels.into_owned())?,
        }))
    }
}

/// Writes the conversions of one kind.
macro_rules! from {
    ($($given:ty => |$value:ident| $kind:expr;)*) => {$(
        impl<'a> From<$given> for Source<'a> {
            fn from($value: $given) -> Self {
                Self($kind)
            }
        }
    )*};
}

from! {
    &'a str => |path| Kind::Path(Cow::Borrowed(Path::new(path)));
    &'a &str => |path| Kind::Path(Cow::Borrowed(Path::new(*path)));
    String => |path| Kind::Path(Cow::Owned(path.into()));
    &'a String => |path| Kind::Path(Cow::Borrowed(Path::new(path)));
    &'a OsStr => |path| Kind::Path(Cow::Borrowed(Path::new(path)));
    &'a Path => |path| Kind::Path(Cow::Borrowed(path));
    PathBuf => |path| Kind::Path(Cow::Owned(path));
    &'a PathBuf => |path| Kind::Path(Cow::Borrowed(path));
    &'a [u8] => |bytes| Kind::Bytes(Cow::Borrowed(bytes));
    Vec<u8> => |bytes| Kind::Bytes(Cow::Owned(bytes));
    &'a Vec<u8> => |bytes| Kind::Bytes(Cow::Borrowed(bytes));
    &'a RgbImage => |image| Kind::Rgb(Cow::Borrowed(image));
    RgbImage => |image| Kind::Rgb(Cow::Owned(image));
    &'a DynamicImage => |image| Kind::Dynamic(Cow::Borrowed(image));
    DynamicImage => |image| Kind::Dynamic(Cow::Owned(image));
    (u32, u32, &'a [u8]) => |raw| Kind::Raw(raw.0, raw.1, Cow::Borrowed(raw.2));
    (u32, u32, &'a Vec<u8>) => |raw| Kind::Raw(raw.0, raw.1, Cow::Borrowed(raw.2));
    (u32, u32, Vec<u8>) => |raw| Kind::Raw(raw.0, raw.1, Cow::Owned(raw.2));
    &'a Photo => |photo| Kind::Photo(Cow::Borrowed(photo));
    Photo => |photo| Kind::Photo(Cow::Owned(photo));
}

impl<'a, const N: usize> From<&'a [u8; N]> for Source<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Kind::Bytes(Cow::Borrowed(bytes)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::blocks;
    use image::{ImageFormat, Rgba, RgbaImage};

    fn read<'a>(given: impl Into<Source<'a>>) -> Result<Photo, PhotoError> {
        given.into().read(&Limits::default()).map(Cow::into_owned)
    }

    #[test]
    fn an_image_is_the_same_however_it_is_given() {
        let photo = blocks(40, 30, 1);
        let rgb = RgbImage::from_raw(40, 30, photo.pixels().to_vec()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.png");
        rgb.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let dynamic = DynamicImage::from(rgb.clone());
        let text = path.to_str().unwrap();
        let in_a_list: &&str = &text;
        let owned = text.to_owned();
        let all = [
            read(text),
            read(text.to_owned()),
            read(&owned),
            read(in_a_list),
            read(path.as_os_str()),
            read(path.as_path()),
            read(&path),
            read(path.clone()),
            read(bytes.as_slice()),
            read(&bytes),
            read(bytes.clone()),
            read(&rgb),
            read(rgb.clone()),
            read(&dynamic),
            read(dynamic.clone()),
            read((40, 30, photo.pixels())),
            read((40, 30, &photo.pixels().to_vec())),
            read((40, 30, photo.pixels().to_vec())),
            read(&photo),
            read(photo.clone()),
        ];
        for (number, given) in all.into_iter().enumerate() {
            assert_eq!(given.unwrap(), photo, "{number}");
        }
        assert_eq!(Source::from(text).path(), Some(path.as_path()));
        assert_eq!(Source::from(&bytes).path(), None);
    }

    #[test]
    fn transparent_pixels_are_blended_as_files_are() {
        let image =
            RgbaImage::from_fn(9, 7, |x, y| Rgba([(x * 20) as u8, (y * 30) as u8, 99, (x * 28) as u8]));
        let mut file = std::io::Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).unwrap();
        assert_eq!(read(DynamicImage::from(image)).unwrap(), read(file.into_inner()).unwrap());
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert!(matches!(read("gone.jpg"), Err(PhotoError::At { .. })));
        assert!(matches!(read(b"hello"), Err(PhotoError::UnknownFormat { .. })));
        assert!(matches!(read((2, 2, [0; 5].as_slice())), Err(PhotoError::WrongLength { .. })));
        assert!(matches!(read(RgbImage::new(0, 3)), Err(PhotoError::NoPixels { .. })));
    }
}
