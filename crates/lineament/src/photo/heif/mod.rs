//! HEIC and AVIF: one container (ISO/IEC 23008-12), with pictures of HEVC or AV1 in it, in tiles or in one piece.

mod av1;
mod sps;

use heic_rs::color::convert;
use heic_rs::context::Context;
use heic_rs::ftyp::{Brand, FileType};
use heic_rs::hevc::{Frame, decode_still};
use heic_rs::meta::{self, iref::RefKind};
use heic_rs::props::{ItemProps, colr::Nclx};
use heic_rs::{Error, MatrixCoefficients, Mirror, PixelLayout, Range, Transform, grid, transform};
use rayon::prelude::*;

use super::decode::{Stored, blend, check_size};
use super::{Limits, PhotoError};

/// A picture and what its own stream says of the colours.
struct Coded {
    frame: Frame,
    colours: Option<Nclx>,
}

/// The name of the format, where the first bytes are those of one that is read.
pub(super) fn recognise(bytes: &[u8]) -> Option<&'static str> {
    let (head, brands) = bytes.split_first_chunk::<8>()?;
    let [length @ .., b'f', b't', b'y', b'p'] = head else { return None };
    let length = usize::try_from(u32::from_be_bytes(*length.first_chunk()?)).ok()?;
    let brands = brands.get(..length.min(bytes.len()).saturating_sub(8)).unwrap_or(brands);
    // The first is the file's own, then comes a version, and then all that it claims to be.
    let mut brands = brands.chunks_exact(4).enumerate().filter(|(at, _)| *at != 1).map(|(_, brand)| brand);
    brands.find_map(|brand| match brand {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some("HEIC"),
        _ => None,
    })
}

/// The file's main image, upright: its own properties turn and mirror it, and EXIF has nothing to say.
pub(super) fn decode(bytes: &[u8], format: &'static str, limits: &Limits) -> Result<Stored, PhotoError> {
    image(bytes, limits).map_err(|fault| match fault {
        Fault::Photo(error) => error,
        Fault::File(Error::Truncated(_)) => PhotoError::Truncated { format },
        Fault::File(Error::Unsupported(reason)) => {
            PhotoError::Unsupported { format, reason: reason.to_owned() }
        }
        Fault::File(other) => PhotoError::Broken { format, reason: other.to_string() },
        Fault::Stream(reason) => PhotoError::Broken { format, reason },
        Fault::Unsupported(reason) => PhotoError::Unsupported { format, reason },
    })
}

enum Fault {
    Photo(PhotoError),
    File(Error),
    /// The stream of the picture is damaged.
    Stream(String),
    Unsupported(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::File(error)
    }
}

fn image(bytes: &[u8], limits: &Limits) -> Result<Stored, Fault> {
    // Made here, as `Context::open` refuses AVIF.
    let brand = Brand::Mif1;
    let ftyp = FileType { major: brand, effective: brand, minor_version: 0, compatible_count: 0 };
    let context = Context { file: bytes, ftyp, meta: meta::parse(bytes)? };
    let id = context.meta.primary;
    let properties = context.props(id)?;
    let (width, height) = match properties.ispe {
        Some(size) => (size.width, size.height),
        None => context.coded_size(id, &properties)?,
    };
    check_size(width, height, limits).map_err(Fault::Photo)?;
    let picture = picture(&context, id, &properties, limits)?;
    let alpha = match context.alpha_item(id)? {
        Some(item) => Some(self::picture(&context, item, &context.props(item)?, limits)?.frame),
        None => None,
    };
    let colours = properties.nclx.or(picture.colours).map_or(UNLABELLED, labelled);
    let layout = if alpha.is_some() { PixelLayout::Rgba8 } else { PixelLayout::Rgb8 };
    let (frame, most) = (&picture.frame, limits.max_pixels.saturating_mul(2));
    let image = convert(frame, alpha.as_ref(), colours, layout, most, Some(1))?;
    let transforms: Vec<Transform> = properties.transforms.iter().map(|&step| as_meant(step)).collect();
    let image = transform::apply_all(image, &transforms)?;
    let multiplied =
        context.meta.refs.iter().any(|link| link.kind == RefKind::Other(*b"prem") && link.from == id);
    let rgb = if alpha.is_some() { over_white(&image.data, multiplied) } else { image.data };
    Ok(Stored { width: image.width, height: image.height, rgb, orientation: Some(1), notes: Vec::new() })
}

/// The step that libheif, libavif and the standard since 2021 mean: mode 0 exchanges top and bottom, 1 left and right. heic-rs 0.1.4 has it
/// the other way round (`findings/heic-rs.sh`).
fn as_meant(step: Transform) -> Transform {
    match step {
        Transform::Mirror(Mirror::LeftRight) => Transform::Mirror(Mirror::TopBottom),
        Transform::Mirror(Mirror::TopBottom) => Transform::Mirror(Mirror::LeftRight),
        other => other,
    }
}

/// What libheif and libavif take a file for that does not say: the matrix of JPEG, in full range.
const UNLABELLED: Nclx =
    Nclx { primaries: 2, transfer: 2, matrix: MatrixCoefficients::Bt601, matrix_code: 6, range: Range::Full };

/// Colours with the matrix of JPEG where none is named, which heic-rs takes for that of television.
fn labelled(colours: Nclx) -> Nclx {
    match colours.matrix {
        MatrixCoefficients::Unspecified => Nclx { matrix: UNLABELLED.matrix, ..colours },
        _ => colours,
    }
}

fn over_white(rgba: &[u8], multiplied: bool) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.chunks_exact(4) {
        let [colour @ .., alpha] = pixel else { break };
        rgb.extend(
            colour.iter().map(|&value| {
                if multiplied { value.saturating_add(255 - alpha) } else { blend(value, *alpha) }
            }),
        );
    }
    rgb
}

/// An item's picture, put together where it comes in tiles.
fn picture(context: &Context, id: u32, properties: &ItemProps, limits: &Limits) -> Result<Coded, Fault> {
    let Some((grid, tiles)) = context.grid(id)? else { return coded(context, id, properties, limits) };
    check_size(grid.output_width, grid.output_height, limits).map_err(Fault::Photo)?;
    let decoded: Vec<Coded> = tiles
        .par_iter()
        .map(|&tile| coded(context, tile, &context.props(tile)?, limits))
        .collect::<Result<_, Fault>>()?;
    let colours = decoded.first().and_then(|tile| tile.colours);
    let frames: Vec<Frame> = decoded.into_iter().map(|tile| tile.frame).collect();
    let frame = grid::compose(&grid, &frames, limits.max_pixels)?;
    Ok(Coded { frame, colours })
}

fn coded(context: &Context, id: u32, properties: &ItemProps, limits: &Limits) -> Result<Coded, Fault> {
    if let Some(size) = properties.ispe {
        check_size(size.width, size.height, limits).map_err(Fault::Photo)?;
    }
    let kind = context.meta.item(id).ok_or(Error::MissingItem(id))?.item_type;
    let data = context.item_data(id)?;
    match &kind {
        b"hvc1" | b"hev1" => {
            let config = properties.hvcc.as_ref().ok_or(Error::MissingBox("hvcC"))?;
            let sets = config.parameter_sets();
            let size = heic_rs::hevc::probe(&sets)?;
            check_size(size.width, size.height, limits).map_err(Fault::Photo)?;
            let frame = decode_still(&sets, &config.split_nals(&data)?).map_err(|error| match error {
                // heic-rs stumbles over these instead of naming them.
                Error::Malformed(_) if config.general_profile_idc > 3 => {
                    Fault::Unsupported("HEVC with range extensions, such as chroma in full resolution".into())
                }
                other => other.into(),
            })?;
            frame.validate()?;
            Ok(Coded { frame, colours: sets.iter().find_map(|set| sps::colours(set)) })
        }
        b"av01" => av1::decode(data.into_owned(), limits),
        other => {
            let name = String::from_utf8_lossy(other).trim().to_owned();
            Err(Fault::Unsupported(format!("pictures coded as {name}")))
        }
    }
}
