//! One scan: coefficients out of bits (ITU T.81, annexes F and G).

use super::bits::{Bits, Table};
use super::frame::{Coding, Component, Frame};
use super::{Fault, Tables};

/// Where the coefficients of a block lie, in the order in which they are written (ITU T.81, figure A.6).
#[rustfmt::skip]
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// What of each block a scan holds.
#[derive(Clone, Copy)]
enum Pass {
    Whole,
    FirstOfDc,
    MoreOfDc,
    FirstOfAc,
    MoreOfAc,
}

/// A component in a scan.
struct Part<'a> {
    component: usize,
    dc: Option<&'a Table>,
    ac: Option<&'a Table>,
    /// The DC coefficient of its last block.
    last: i32,
}

/// The header of a scan, with what decoding carries from block to block.
struct Scan<'a> {
    pass: Pass,
    /// First and last coefficient in zigzag order.
    band: (usize, usize),
    /// The lowest bit that it brings.
    low: u32,
    parts: Vec<Part<'a>>,
    /// How many more blocks end before they begin.
    ended_blocks: i32,
}

/// Decodes a scan into the coefficients of `frame`, and returns what follows it.
///
/// `data` begins behind the header `segment`.
pub(super) fn decode<'a>(
    frame: &mut Frame,
    tables: &Tables,
    segment: &[u8],
    data: &'a [u8],
) -> Result<&'a [u8], Fault> {
    let mut scan = header(frame, tables, segment)?;
    let mut bits = Bits::new(data);
    let (mut since, interval) = (0, tables.restart);
    let (across, down) = match scan.parts.as_slice() {
        [part] => frame.components.get(part.component).map_or((0, 0), |component| {
            (component.width.div_ceil(8) as usize, component.height.div_ceil(8) as usize)
        }),
        _ => frame.units(),
    };
    let alone = scan.parts.len() == 1;
    for y in 0..down {
        for x in 0..across {
            if interval > 0 && since == interval {
                bits = restart(&bits)?;
                scan.parts.iter_mut().for_each(|part| part.last = 0);
                scan.ended_blocks = 0;
                since = 0;
            }
            since += 1;
            for at in 0..scan.parts.len() {
                let Some(component) =
                    scan.parts.get(at).and_then(|part| frame.components.get_mut(part.component))
                else {
                    continue;
                };
                let (h, v) = if alone { (1, 1) } else { (component.h as usize, component.v as usize) };
                let stride = component.stride;
                for row in 0..v {
                    for column in 0..h {
                        let index = (y * v + row) * stride + x * h + column;
                        if let Some(block) = component.blocks.get_mut(index) {
                            scan.block(&mut bits, at, block)?;
                        }
                    }
                }
            }
        }
    }
    Ok(bits.rest())
}

/// Goes on behind a restart marker.
fn restart<'a>(bits: &Bits<'a>) -> Result<Bits<'a>, Fault> {
    let rest = bits.rest();
    // Some writers put more than one 0xff before a marker, which is allowed.
    let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
    match rest.get(fill) {
        Some(0xd0..=0xd7) if fill > 0 => Ok(Bits::new(rest.get(fill + 1..).unwrap_or_default())),
        None | Some(0xd9) => Err(Fault::Ends),
        Some(_) => Err(Fault::Marker),
    }
}

/// Reads the header of a scan, and notes in `frame` what will be known after it.
fn header<'a>(frame: &mut Frame, tables: &'a Tables, segment: &[u8]) -> Result<Scan<'a>, Fault> {
    let short = Fault::Broken("the header of a scan is too short");
    let Some((&count, rest)) = segment.split_first() else { return Err(short) };
    let count = usize::from(count);
    let (Some(list), Some(&[first, last, bits])) =
        (rest.get(..2 * count), rest.get(2 * count..).and_then(|rest| rest.first_chunk::<3>()))
    else {
        return Err(short);
    };
    let (high, low) = (u32::from(bits >> 4), u32::from(bits & 15));
    let band = (usize::from(first), usize::from(last));
    let (pass, band, low) = match frame.coding {
        // What sequential scans say here is fixed, and some writers get it wrong.
        Coding::Sequential => (Pass::Whole, (0, 63), 0),
        Coding::Progressive => {
            let pass = match (band, high) {
                ((0, 0), 0) => Pass::FirstOfDc,
                ((0, 0), _) => Pass::MoreOfDc,
                ((1.., ..64), 0) => Pass::FirstOfAc,
                ((1.., ..64), _) => Pass::MoreOfAc,
                _ => return Err(Fault::Broken("a scan holds coefficients that there are not")),
            };
            if band.0 > band.1 || low > 13 || (high > 0 && high != low + 1) {
                return Err(Fault::Broken("a scan holds coefficients that there are not"));
            }
            (pass, band, low)
        }
    };
    let mut parts = Vec::new();
    for pair in list.chunks_exact(2) {
        let &[id, which] = pair else { break };
        let component = frame
            .components
            .iter()
            .position(|component| component.id == id)
            .ok_or(Fault::Broken("a scan holds a component that the frame has not"))?;
        let part = frame.components.get_mut(component).ok_or(Fault::Broken("no component"))?;
        if part.steps.is_none() {
            let steps = tables.steps.get(part.table).copied().flatten();
            part.steps = Some(steps.ok_or(Fault::Broken("a table of quantization is missing"))?);
        }
        note(part, pass, band, low as u8)?;
        let dc = tables.dc.get(usize::from(which >> 4)).and_then(Option::as_ref);
        let ac = tables.ac.get(usize::from(which & 15)).and_then(Option::as_ref);
        let (wants_dc, wants_ac) = match pass {
            Pass::Whole => (true, true),
            Pass::FirstOfDc => (true, false),
            Pass::MoreOfDc => (false, false),
            Pass::FirstOfAc | Pass::MoreOfAc => (false, true),
        };
        if wants_dc && dc.is_none() || wants_ac && ac.is_none() {
            return Err(Fault::Broken("a table of codes is missing"));
        }
        parts.push(Part { component, dc, ac, last: 0 });
    }
    let lone = matches!(pass, Pass::FirstOfAc | Pass::MoreOfAc);
    if parts.is_empty() || lone && parts.len() > 1 {
        return Err(Fault::Broken("a scan has too few or too many components"));
    }
    Ok(Scan { pass, band, low, parts, ended_blocks: 0 })
}

/// What will be known of a component after a scan.
fn note(part: &mut Component, pass: Pass, band: (usize, usize), low: u8) -> Result<(), Fault> {
    for unknown in part.unknown.get_mut(band.0..=band.1).unwrap_or_default() {
        let fits = match pass {
            Pass::Whole | Pass::FirstOfDc | Pass::FirstOfAc => unknown.is_none(),
            Pass::MoreOfDc | Pass::MoreOfAc => *unknown == Some(low + 1),
        };
        if !fits {
            return Err(Fault::Broken("its scans are out of order"));
        }
        *unknown = Some(low);
    }
    Ok(())
}

impl Scan<'_> {
    fn block(&mut self, bits: &mut Bits, at: usize, block: &mut [i16; 64]) -> Result<(), Fault> {
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        let (from, to) = self.band;
        match (self.pass, part.dc, part.ac) {
            (Pass::Whole, Some(dc), Some(ac)) => {
                put(block, 0, part.next_dc(bits, dc)?);
                let mut k = 1;
                while k <= to {
                    let symbol = bits.symbol(ac)?;
                    let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                    if size == 0 {
                        if run < 15 {
                            break;
                        }
                        k += 16;
                        continue;
                    }
                    k += run;
                    put(block, k, bits.signed(size)?);
                    if k > to {
                        return Err(Fault::Code);
                    }
                    k += 1;
                }
            }
            (Pass::FirstOfDc, Some(dc), _) => put(block, 0, part.next_dc(bits, dc)? << self.low),
            (Pass::MoreOfDc, ..) => {
                let [first, ..] = block;
                *first |= (bits.take(1)? << self.low) as i16;
            }
            (Pass::FirstOfAc, _, Some(ac)) => {
                if self.ended_blocks > 0 {
                    self.ended_blocks -= 1;
                    return Ok(());
                }
                let mut k = from;
                while k <= to {
                    let symbol = bits.symbol(ac)?;
                    let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                    if size == 0 {
                        if run < 15 {
                            self.ended_blocks = (1 << run) - 1 + bits.take(run)?;
                            break;
                        }
                        k += 16;
                        continue;
                    }
                    k += run as usize;
                    put(block, k, bits.signed(size)? << self.low);
                    if k > to {
                        return Err(Fault::Code);
                    }
                    k += 1;
                }
            }
            (Pass::MoreOfAc, _, Some(ac)) => {
                let mut k = from;
                while self.ended_blocks == 0 && k <= to {
                    let symbol = bits.symbol(ac)?;
                    let (run, size) = (u32::from(symbol >> 4), symbol & 15);
                    let new = match size {
                        0 if run < 15 => {
                            self.ended_blocks = (1 << run) + bits.take(run)?;
                            break;
                        }
                        0 => 0,
                        1 => (bits.take(1)? * 2 - 1) << self.low,
                        _ => return Err(Fault::Code),
                    };
                    k = refine(bits, block, k, to, self.low, run)?;
                    if new != 0 {
                        if k > to {
                            return Err(Fault::Code);
                        }
                        put(block, k, new);
                    }
                    k += 1;
                }
                if self.ended_blocks > 0 {
                    refine(bits, block, k, to, self.low, u32::MAX)?;
                    self.ended_blocks -= 1;
                }
            }
            // `header` has seen to the tables.
            _ => return Err(Fault::Broken("a table of codes is missing")),
        }
        Ok(())
    }
}

impl Part<'_> {
    fn next_dc(&mut self, bits: &mut Bits, table: &Table) -> Result<i32, Fault> {
        let size = bits.symbol(table)?;
        if size > 16 {
            return Err(Fault::Code);
        }
        self.last = self.last.wrapping_add(bits.signed(size.into())?);
        Ok(self.last)
    }
}

/// One more bit for each coefficient that is not zero, up to the first zero behind `zeros` of them; where
/// that is.
fn refine(
    bits: &mut Bits,
    block: &mut [i16; 64],
    from: usize,
    to: usize,
    low: u32,
    mut zeros: u32,
) -> Result<usize, Fault> {
    let step = 1i16 << low;
    for (k, &natural) in ZIGZAG.iter().enumerate().take(to + 1).skip(from) {
        let Some(value) = block.get_mut(usize::from(natural)) else { break };
        if *value == 0 {
            if zeros == 0 {
                return Ok(k);
            }
            zeros -= 1;
        } else if bits.take(1)? == 1 && *value & step == 0 {
            *value = value.wrapping_add(if *value > 0 { step } else { -step });
        }
    }
    Ok(to + 1)
}

fn put(block: &mut [i16; 64], k: usize, value: i32) {
    if let Some(to) = ZIGZAG.get(k).and_then(|&natural| block.get_mut(usize::from(natural))) {
        *to = value as i16;
    }
}
