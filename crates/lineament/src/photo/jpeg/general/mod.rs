//! Huffman-coded JPEG of every sampling, order of scans and precision, in one plain way for all of them.
//!
//! zune-jpeg is several times as fast, and wrong on what cameras seldom write (`findings/jpeg-decoders.sh`). This decoder follows ITU T.81 to the
//! letter and knows at its end which bits it has seen: nothing is filled in silently.

mod bits;
mod colour;
mod frame;
mod samples;
mod scan;

pub(in crate::photo) use colour::from_luma;

use bits::Table;
use frame::{Coding, Frame};

use super::{super::decode::check_size, FORMAT};
use crate::photo::{Limits, PhotoError};

/// An image as it is stored.
pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
    /// Whether the end-of-image marker follows the image.
    pub(super) closed: bool,
}

/// What stops decoding.
#[derive(Debug)]
enum Fault {
    /// The end, of the file or of the image, within a scan.
    Ends,
    /// A marker within a scan.
    Marker,
    /// Bits that are no code, or a code for what there is not.
    Code,
    Broken(&'static str),
    Unsupported(String),
    Photo(PhotoError),
}

/// Tables that segments define and scans use.
#[derive(Default)]
struct Tables {
    /// Steps of quantization in zigzag order.
    steps: [Option<[u16; 64]>; 4],
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    /// Units between restart markers; zero for none.
    restart: usize,
}

/// How components become colours.
#[derive(Clone, Copy)]
struct Colours {
    /// The first three are luma and two differences.
    luma: bool,
    /// Inks are stored as what they leave of the light.
    inverted: bool,
}

/// Decodes an image. `luma` says whether the components are luma and differences, where the file around it knows; inks are then as they are.
pub(super) fn decode(bytes: &[u8], limits: &Limits, luma: Option<bool>) -> Result<Image, PhotoError> {
    image(bytes, limits, luma).map_err(|fault| match fault {
        Fault::Ends => PhotoError::Truncated { format: FORMAT },
        Fault::Marker => broken("a marker stands within its pixels"),
        Fault::Code => broken("its pixels are damaged"),
        Fault::Broken(reason) => broken(reason),
        Fault::Unsupported(reason) => PhotoError::Unsupported { format: FORMAT, reason },
        Fault::Photo(error) => error,
    })
}

fn broken(reason: &str) -> PhotoError {
    PhotoError::Broken { format: FORMAT, reason: reason.to_owned() }
}

fn image(bytes: &[u8], limits: &Limits, luma: Option<bool>) -> Result<Image, Fault> {
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let (mut jfif, mut adobe) = (false, None);
    let mut rest = bytes;
    loop {
        let done = frame.as_ref().is_some_and(Frame::complete);
        let next = next_marker(rest);
        let closed = matches!(next, Some((0xd9, _)));
        // Behind the last scan there may be anything: bytes of a camera, another image.
        if done || closed || next.is_none() {
            let Some(frame) = frame.filter(|frame| done || closed && frame.begun()) else {
                return Err(Fault::Ends);
            };
            let colours = match luma {
                Some(luma) => Colours { luma, inverted: false },
                None => colours(&frame, jfif, adobe),
            };
            let (width, height) = (frame.width, frame.height);
            return Ok(Image { width, height, rgb: colour::rgb(frame, colours), closed });
        }
        let Some((marker, after)) = next else { return Err(Fault::Ends) };
        rest = after;
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue;
        }
        let length = rest.first_chunk::<2>().map(|two| usize::from(u16::from_be_bytes(*two)));
        let Some(segment) = length.and_then(|length| rest.get(2..length)) else { return Err(Fault::Ends) };
        rest = rest.get(2 + segment.len()..).unwrap_or_default();
        match marker {
            0xc0..=0xc2 => {
                if frame.is_some() {
                    return Err(Fault::Broken("it has two frames"));
                }
                let coding = if marker == 0xc2 { Coding::Progressive } else { Coding::Sequential };
                let mut new = Frame::parse(coding, segment)?;
                check_size(new.width, new.height, limits).map_err(Fault::Photo)?;
                new.reserve();
                frame = Some(new);
            }
            0xc4 => codes(segment, &mut tables)?,
            0xdb => steps(segment, &mut tables)?,
            0xdd => {
                let interval = segment.first_chunk::<2>();
                tables.restart = interval.map_or(0, |two| usize::from(u16::from_be_bytes(*two)));
            }
            0xda => {
                let frame = frame.as_mut().ok_or(Fault::Broken("a scan comes before the frame"))?;
                rest = scan::decode(frame, &tables, segment, rest)?;
            }
            0xe0 => jfif |= segment.starts_with(b"JFIF\0"),
            0xee if segment.starts_with(b"Adobe") => adobe = segment.get(11).copied(),
            _ => {}
        }
    }
}

/// The next marker, and what follows it.
fn next_marker(mut rest: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = rest.iter().position(|&byte| byte == 0xff)?;
        rest = rest.get(at..)?;
        let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
        let marker = *rest.get(fill)?;
        rest = rest.get(fill + 1..)?;
        if marker != 0 {
            return Some((marker, rest));
        }
    }
}

/// Tables of codes (ITU T.81, B.2.4.2).
fn codes(mut segment: &[u8], tables: &mut Tables) -> Result<(), Fault> {
    let wrong = || Fault::Broken("a table of codes is none");
    while let Some((&which, rest)) = segment.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
        let number = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(number).ok_or_else(wrong)?;
        let set = if which >> 4 == 0 { &mut tables.dc } else { &mut tables.ac };
        let to = set.get_mut(usize::from(which & 15)).ok_or_else(wrong)?;
        *to = Some(Table::new(counts, symbols).ok_or_else(wrong)?);
        segment = rest;
    }
    Ok(())
}

/// Tables of quantization (ITU T.81, B.2.4.1), in eight or sixteen bits.
fn steps(mut segment: &[u8], tables: &mut Tables) -> Result<(), Fault> {
    let wrong = || Fault::Broken("a table of quantization is none");
    while let Some((&which, rest)) = segment.split_first() {
        let wide = which >> 4 != 0;
        let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 }).ok_or_else(wrong)?;
        let to = tables.steps.get_mut(usize::from(which & 15)).ok_or_else(wrong)?;
        let mut table = [0; 64];
        let size = if wide { 2 } else { 1 };
        for (to, value) in table.iter_mut().zip(values.chunks_exact(size)) {
            *to = value.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
        }
        *to = Some(table);
        segment = rest;
    }
    Ok(())
}

/// As libjpeg concludes, which all others follow: JFIF is luma; Adobe's marker says; and else the names of
/// the components do.
fn colours(frame: &Frame, jfif: bool, adobe: Option<u8>) -> Colours {
    let ids: Vec<u8> = frame.components.iter().map(|part| part.id).collect();
    let luma = match (ids.as_slice(), adobe) {
        ([_, _, _], _) if jfif => true,
        ([_, _, _], Some(transform)) => transform != 0,
        ([_, _, _], None) => ids != *b"RGB",
        (_, transform) => transform == Some(2),
    };
    Colours { luma, inverted: adobe.is_some() }
}
