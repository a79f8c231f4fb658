//! What an HEVC stream says of its colours (ITU-T H.265, 7.3.2.2 and E.2.1): telephones say it there and nowhere else.

use heic_rs::props::colr::Nclx;
use heic_rs::{MatrixCoefficients, Range};

/// Bits of a parameter set, without the bytes that keep start codes out of it.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for &byte in unit {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// An unsigned number in Exp-Golomb code.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some(((1u64 << zeros) - 1) as u32 + self.take(zeros)?)
    }
}

/// The colours that a sequence parameter set names; nothing for other parameter sets, and where it says nothing.
pub(super) fn colours(unit: &[u8]) -> Option<Nclx> {
    // Two bytes of header, the kind in the first.
    if unit.first()? >> 1 & 0x3f != 33 {
        return None;
    }
    let mut bits = Bits::new(unit.get(2..)?);
    bits.take(4)?;
    let layers = bits.take(3)?;
    bits.take(1)?;
    profile(&mut bits, layers)?;
    bits.golomb()?;
    if bits.golomb()? == 3 {
        bits.take(1)?;
    }
    bits.golomb()?;
    bits.golomb()?;
    if bits.flag()? {
        (0..4).try_for_each(|_| bits.golomb().map(drop))?;
    }
    bits.golomb()?;
    bits.golomb()?;
    let order = bits.golomb()? + 4;
    let ordered = if bits.flag()? { layers + 1 } else { 1 };
    (0..ordered * 3).try_for_each(|_| bits.golomb().map(drop))?;
    (0..6).try_for_each(|_| bits.golomb().map(drop))?;
    if bits.flag()? && bits.flag()? {
        scaling(&mut bits)?;
    }
    bits.take(2)?;
    if bits.flag()? {
        bits.take(8)?;
        bits.golomb()?;
        bits.golomb()?;
        bits.take(1)?;
    }
    let sets = bits.golomb()?.min(64);
    let mut last = 0;
    for index in 0..sets {
        last = references(&mut bits, index > 0, last)?;
    }
    if bits.flag()? {
        let count = bits.golomb()?.min(33);
        (0..count).try_for_each(|_| bits.take(order + 1).map(drop))?;
    }
    bits.take(2)?;
    if !bits.flag()? {
        return None;
    }
    usability(&mut bits)
}

/// `profile_tier_level`.
fn profile(bits: &mut Bits, layers: u32) -> Option<()> {
    (0..3).try_for_each(|_| bits.take(32).map(drop))?;
    let mut present = Vec::new();
    for _ in 0..layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if layers > 0 {
        bits.take(2 * (8 - layers))?;
    }
    for (profile, level) in present {
        if profile {
            bits.take(32)?;
            bits.take(32)?;
            bits.take(24)?;
        }
        if level {
            bits.take(8)?;
        }
    }
    Some(())
}

/// `scaling_list_data`, to pass over it.
fn scaling(bits: &mut Bits) -> Option<()> {
    for size in 0..4u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.flag()? {
                bits.golomb()?;
                continue;
            }
            let count = 64.min(1u32 << (4 + size * 2));
            let first = u32::from(size > 1);
            (0..count + first).try_for_each(|_| bits.golomb().map(drop))?;
        }
    }
    Some(())
}

/// `st_ref_pic_set`, to pass over it: how many pictures it refers to, given the number of the one before.
fn references(bits: &mut Bits, predicted: bool, before: u32) -> Option<u32> {
    if predicted && bits.flag()? {
        bits.take(1)?;
        bits.golomb()?;
        let mut count = 0;
        for _ in 0..=before {
            count += u32::from(bits.flag()? || bits.flag()?);
        }
        return Some(count);
    }
    let count = bits.golomb()?.min(16) + bits.golomb()?.min(16);
    for _ in 0..count {
        bits.golomb()?;
        bits.take(1)?;
    }
    Some(count)
}

/// The beginning of `vui_parameters`.
fn usability(bits: &mut Bits) -> Option<Nclx> {
    if bits.flag()? && bits.take(8)? == 255 {
        bits.take(32)?;
    }
    if bits.flag()? {
        bits.take(1)?;
    }
    if !bits.flag()? {
        return None;
    }
    bits.take(3)?;
    let range = if bits.flag()? { Range::Full } else { Range::Limited };
    let [primaries, transfer, matrix_code] = if bits.flag()? {
        [bits.take(8)?, bits.take(8)?, bits.take(8)?].map(|code| code as u16)
    } else {
        [2; 3]
    };
    let matrix = MatrixCoefficients::from_code(matrix_code);
    Some(Nclx { primaries, transfer, matrix, matrix_code, range })
}
