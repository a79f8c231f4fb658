//! The entropy-coded bits of a scan, and Huffman's codes among them (ITU T.81, annexes C and F).

use super::Fault;

/// Bits of one stretch between markers.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, held: 0, count: 0 }
    }

    /// What follows the bits: the marker that ended them, if any, comes first.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, length) = match self.rest {
                [0xff, 0x00, ..] => (0xff, 2),
                // A marker, or the end of the file within one.
                [0xff, ..] | [] => return,
                [byte, ..] => (*byte, 1),
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
            self.rest = self.rest.get(length..).unwrap_or_default();
        }
    }

    /// The next `count` bits, 16 at most, as a number.
    pub(super) fn take(&mut self, count: u32) -> Result<i32, Fault> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err(self.ended());
            }
        }
        self.count -= count;
        Ok((self.held >> self.count & ((1 << count) - 1)) as i32)
    }

    /// A number in `size` bits as JPEG writes signed ones (ITU T.81, F.2.2.1).
    pub(super) fn signed(&mut self, size: u32) -> Result<i32, Fault> {
        let value = self.take(size)?;
        Ok(if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// The symbol of the next code.
    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8, Fault> {
        if self.count < 16 {
            self.fill();
        }
        // Behind the end the code is looked up with zeros; it counts if it ends before them.
        let ahead = if self.count >= 16 {
            self.held >> (self.count - 16)
        } else {
            (self.held & ((1 << self.count) - 1)) << (16 - self.count)
        } as u16;
        let (symbol, length) = table.find(ahead).ok_or(Fault::Code)?;
        if length > self.count {
            return Err(self.ended());
        }
        self.count -= length;
        Ok(symbol)
    }

    fn ended(&self) -> Fault {
        match self.rest {
            [] | [0xff] | [0xff, 0xd9, ..] => Fault::Ends,
            [_, ..] => Fault::Marker,
        }
    }
}

/// Codes of up to this many bits are found by one look.
const QUICK: u32 = 9;

/// A table of codes.
#[derive(Clone)]
pub(super) struct Table {
    /// Symbol and length by the next [`QUICK`] bits; a length of zero where the code is longer.
    quick: Vec<(u8, u8)>,
    /// For each length: the first code behind those of it, moved to the upper end of 16 bits.
    limits: [u32; 17],
    /// For each length: what is added to a code to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// From the number of codes of each length and their symbols; `None` where there are more codes than
    /// bits tell apart.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            quick: vec![(0, 0); 1 << QUICK],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0u32, 0usize);
        let slots = table.limits.iter_mut().zip(&mut table.offsets).skip(1);
        for ((length, &count), (limit, offset)) in (1u32..).zip(counts).zip(slots) {
            *offset = index as i32 - code as i32;
            for _ in 0..count {
                let symbol = *symbols.get(index)?;
                if length <= QUICK {
                    let first = (code as usize) << (QUICK - length);
                    table.quick.get_mut(first..first + (1 << (QUICK - length)))?.fill((symbol, length as u8));
                }
                code += 1;
                index += 1;
            }
            if code > 1 << length {
                return None;
            }
            *limit = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// Symbol and length of the code that `ahead` begins with.
    fn find(&self, ahead: u16) -> Option<(u8, u32)> {
        let (symbol, length) = *self.quick.get(usize::from(ahead >> (16 - QUICK)))?;
        if length > 0 {
            return Some((symbol, u32::from(length)));
        }
        let codes = (0u32..).zip(self.limits.iter().zip(&self.offsets)).skip(1 + QUICK as usize);
        for (length, (&limit, &offset)) in codes {
            if u32::from(ahead) < limit {
                let code = i32::from(ahead >> (16 - length));
                return Some((*self.symbols.get(usize::try_from(code + offset).ok()?)?, length));
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_end_with_the_bits() {
        let mut counts = [0; 16];
        counts[1] = 1;
        counts[2] = 1;
        counts[11] = 1;
        let table = Table::new(&counts, &[7, 8, 9]).unwrap();
        // 00, 010, 011000000000, and the beginning of a code.
        let mut bits = Bits::new(&[0b0001_0011, 0, 0b0111_1111, 0xff, 0xd9]);
        assert_eq!(bits.symbol(&table).unwrap(), 7);
        assert_eq!(bits.symbol(&table).unwrap(), 8);
        assert_eq!(bits.symbol(&table).unwrap(), 9);
        assert!(matches!(bits.symbol(&table), Err(Fault::Code)));
        assert!(Table::new(&[3; 16], &[0; 48]).is_none());
        assert!(Table::new(&[1; 16], &[0; 15]).is_none());
    }

    #[test]
    fn stuffed_bytes_are_one_byte_and_markers_end_the_bits() {
        let mut bits = Bits::new(&[0xff, 0, 0x12, 0xff, 0xd0, 1]);
        assert_eq!(bits.take(12).unwrap(), 0xff1);
        assert_eq!(bits.signed(4).unwrap(), -13);
        assert!(matches!(bits.take(1), Err(Fault::Marker)));
        assert_eq!(bits.rest(), [0xff, 0xd0, 1]);
        assert!(matches!(Bits::new(&[1]).take(9), Err(Fault::Ends)));
    }
}
