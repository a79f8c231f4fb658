//! The compressions of TIFF that are bytes in, bytes out.

use std::io::Read;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};
use weezl::{BitOrder, LzwStatus};

/// Why a strip or tile could not be unpacked.
pub(super) enum Fault {
    /// It holds less than it should.
    Short,
    /// It is damaged.
    Damaged,
    /// Nothing here knows its compression.
    Unknown(String),
}

/// How a strip or tile is packed, of those that [`unpack`] knows.
pub(super) fn known(compression: u32) -> bool {
    matches!(compression, 1 | 4 | 5 | 8 | 32773 | 32946 | 50000)
}

/// What the compressions are called that are not read.
pub(super) fn name(compression: u32) -> String {
    match compression {
        2 | 3 | 32771 => "fax coding".into(),
        6 => "JPEG in the old style".into(),
        34661 => "JBIG coding".into(),
        33003 | 33004 | 33005 | 34712 => "JPEG 2000 inside".into(),
        34887 => "LERC coding".into(),
        34892 => "lossy DNG coding".into(),
        34925 => "LZMA coding".into(),
        50002 | 52546 => "JPEG XL inside".into(),
        other => format!("compression number {other}"),
    }
}

/// `length` bytes out of a strip or tile of `width` by `height` pixels.
pub(super) fn unpack(
    compression: u32,
    data: &[u8],
    length: usize,
    (width, height): (u32, u32),
) -> Result<Vec<u8>, Fault> {
    let mut out = match compression {
        1 => data.to_vec(),
        4 => fax(data, width, height)?,
        5 => lzw(data, length)?,
        8 | 32946 => inflate(data, length)?,
        32773 => pack_bits(data, length),
        50000 => zstandard(data, length)?,
        other => return Err(Fault::Unknown(name(other))),
    };
    if out.len() < length {
        return Err(Fault::Short);
    }
    out.truncate(length);
    Ok(out)
}

fn inflate(data: &[u8], length: usize) -> Result<Vec<u8>, Fault> {
    match decompress_to_vec_zlib_with_limit(data, length) {
        Ok(out) => Ok(out),
        Err(error) => match error.status {
            // More than is wanted, which some writers leave there, or less.
            TINFLStatus::HasMoreOutput => Ok(error.output),
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => Ok(error.output),
            _ => Err(Fault::Damaged),
        },
    }
}

fn lzw(data: &[u8], length: usize) -> Result<Vec<u8>, Fault> {
    // Before TIFF 6.0 some wrote codes from the low bit up; these begin like this.
    if data.starts_with(&[0, 1]) {
        return Err(Fault::Unknown("LZW coding in the old style".into()));
    }
    let mut out = vec![0; length];
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut from, mut to) = (0, 0);
    while to < length {
        let result =
            decoder.decode_bytes(data.get(from..).unwrap_or_default(), out.get_mut(to..).unwrap_or_default());
        from += result.consumed_in;
        to += result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Ok(_) => break,
            Err(_) => return Err(Fault::Damaged),
        }
    }
    out.truncate(to);
    Ok(out)
}

fn pack_bits(mut data: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    while let Some((&head, rest)) = data.split_first() {
        if out.len() >= length {
            break;
        }
        data = rest;
        match head {
            128 => {}
            0..128 => {
                let count = (usize::from(head) + 1).min(data.len());
                let (run, rest) = data.split_at(count);
                out.extend_from_slice(run);
                data = rest;
            }
            _ => {
                let Some((&byte, rest)) = data.split_first() else { break };
                out.resize(out.len() + 257 - usize::from(head), byte);
                data = rest;
            }
        }
    }
    out
}

fn zstandard(data: &[u8], length: usize) -> Result<Vec<u8>, Fault> {
    let decoder = ruzstd::decoding::StreamingDecoder::new(data).map_err(|_| Fault::Damaged)?;
    let mut out = Vec::new();
    decoder.take(length as u64).read_to_end(&mut out).map_err(|_| Fault::Damaged)?;
    Ok(out)
}

/// One bit a pixel, in rows of whole bytes.
fn fax(data: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Fault> {
    let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(Fault::Unknown("fax coding of more than 65,535 pixels".into()));
    };
    let mut out = Vec::new();
    let whole = fax::decoder::decode_g4(data.iter().copied(), width, Some(height), |transitions| {
        let mut row = vec![0u8; usize::from(width).div_ceil(8)];
        for (x, colour) in fax::decoder::pels(transitions, width).enumerate() {
            if let (fax::Color::Black, Some(byte)) = (colour, row.get_mut(x / 8)) {
                *byte |= 0x80 >> (x % 8);
            }
        }
        out.extend(row);
    });
    whole.map(|()| out).ok_or(Fault::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bits_are_runs_and_copies() {
        // The example of TIFF 6.0, section 9.
        let packed =
            [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let unpacked = [
            0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0x22, 0xaa, 0xaa,
            0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        ];
        assert_eq!(pack_bits(&packed, 24), unpacked);
        assert!(matches!(unpack(32773, &packed[..9], 24, (8, 24)), Err(Fault::Short)));
    }
}
