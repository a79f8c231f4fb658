//! The frame of an image: its components, and the coefficients that scans fill in (ITU T.81, annex A).

use super::Fault;

/// How coefficients come: all of a block at once, or in several passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Sequential,
    Progressive,
}

/// What a start-of-frame segment says.
pub(super) struct Frame {
    pub(super) coding: Coding,
    /// Bits of a sample: 8 or 12.
    pub(super) precision: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    /// One, three or four.
    pub(super) components: Vec<Component>,
    /// The largest sampling factors.
    pub(super) across: u32,
    pub(super) down: u32,
}

/// One component: a plane of samples, in blocks of 8 x 8.
pub(super) struct Component {
    pub(super) id: u8,
    /// Sampling factors, 1 to 4.
    pub(super) h: u32,
    pub(super) v: u32,
    /// Samples, without what fills the last blocks.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Blocks in a row, with those that fill the last unit of an interleaved scan.
    pub(super) stride: usize,
    /// Which table of steps it is quantized by.
    pub(super) table: usize,
    /// These steps, as they are when its first scan begins.
    pub(super) steps: Option<[u16; 64]>,
    /// How many low bits of each coefficient are still unknown, in zigzag order; `None`: all.
    pub(super) unknown: [Option<u8>; 64],
    /// In rows, each of 64 coefficients in natural order.
    pub(super) blocks: Vec<[i16; 64]>,
}

impl Frame {
    /// From the contents of a segment, without room for coefficients yet.
    pub(super) fn parse(coding: Coding, segment: &[u8]) -> Result<Self, Fault> {
        let [precision, h1, h0, w1, w0, count, parts @ ..] = segment else {
            return Err(Fault::Broken("its frame is too short"));
        };
        let (width, height) = (u16::from_be_bytes([*w1, *w0]).into(), u16::from_be_bytes([*h1, *h0]).into());
        if !matches!(precision, 8 | 12) {
            return Err(Fault::Unsupported(format!("{precision} bits a sample")));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Fault::Unsupported(format!("{count} colour components")));
        }
        let mut components = Vec::new();
        for part in parts.chunks_exact(3).take(usize::from(*count)) {
            let [id, factors, table] = part else { break };
            let (mut h, mut v) = (u32::from(factors >> 4), u32::from(factors & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) || *table > 3 {
                return Err(Fault::Broken("a component has no sampling that there is"));
            }
            // A plane of its own is as large as the image, whatever it says.
            if *count == 1 {
                (h, v) = (1, 1);
            }
            components.push(Component {
                id: *id,
                h,
                v,
                width: 0,
                height: 0,
                stride: 0,
                table: usize::from(*table),
                steps: None,
                unknown: [None; 64],
                blocks: Vec::new(),
            });
        }
        if components.len() != usize::from(*count) {
            return Err(Fault::Broken("its frame is too short"));
        }
        let across = components.iter().map(|component| component.h).max().unwrap_or(1);
        let down = components.iter().map(|component| component.v).max().unwrap_or(1);
        Ok(Self { coding, precision: *precision, width, height, components, across, down })
    }

    /// Units of an interleaved scan: in a row, and rows.
    pub(super) fn units(&self) -> (usize, usize) {
        let (across, down) = (self.width.div_ceil(8 * self.across), self.height.div_ceil(8 * self.down));
        (across as usize, down as usize)
    }

    /// Makes room for the coefficients.
    pub(super) fn reserve(&mut self) {
        let (across, down) = self.units();
        for part in &mut self.components {
            part.width = (self.width * part.h).div_ceil(self.across);
            part.height = (self.height * part.v).div_ceil(self.down);
            part.stride = across * part.h as usize;
            part.blocks = vec![[0; 64]; part.stride * down * part.v as usize];
        }
    }

    /// Whether every bit of every coefficient is known.
    pub(super) fn complete(&self) -> bool {
        self.components.iter().all(|part| part.unknown.iter().all(|bits| *bits == Some(0)))
    }

    /// Whether every component has been in a scan.
    pub(super) fn begun(&self) -> bool {
        self.components.iter().all(|part| part.unknown.first().is_some_and(Option::is_some))
    }
}
