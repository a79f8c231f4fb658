//! What the markers of a JPEG say (ITU T.81, annex B), before anything is decoded.

/// Start-of-frame markers of the codings that are read (ITU T.81, table B.1).
const BASELINE: u8 = 0xc0;
const EXTENDED: u8 = 0xc1;
const PROGRESSIVE: u8 = 0xc2;

/// The segments that matter.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outline<'a> {
    /// The first start-of-frame marker: how the image is coded.
    pub(super) coding: Option<u8>,
    /// Its segment.
    frame: &'a [u8],
    /// Scans up to the end, and the number of components in the first.
    scans: usize,
    first_scan: u8,
    jfif: bool,
    /// What Adobe's segment says of the colours.
    adobe: Option<u8>,
    pub(super) exif: Option<&'a [u8]>,
    pub(super) xmp: Option<&'a [u8]>,
    /// Where the end-of-image marker begins.
    pub(super) end: Option<usize>,
}

/// Walks from marker to marker, over the lengths of segments, so that the markers of a thumbnail inside of
/// one do not count.
pub(super) fn outline(bytes: &[u8]) -> Outline<'_> {
    let mut seen = Outline::default();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == 0xff) {
        rest = rest.get(at..).unwrap_or_default();
        let Some(after) = rest.iter().position(|&byte| byte != 0xff) else { break };
        let marker = rest.get(after).copied().unwrap_or_default();
        rest = rest.get(after + 1..).unwrap_or_default();
        match marker {
            0xd9 => {
                seen.end = Some(bytes.len() - rest.len() - 2);
                break;
            }
            // A stuffed 0xff among the coefficients, and the markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(length) = rest.first_chunk::<2>() else { break };
        let length = usize::from(u16::from_be_bytes(*length));
        let segment = rest.get(2..length).unwrap_or_default();
        match marker {
            // Tables and extensions lie between the frames.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && seen.coding.is_none() => {
                seen.coding = Some(marker);
                seen.frame = segment;
            }
            0xda => {
                seen.scans += 1;
                if seen.scans == 1 {
                    seen.first_scan = segment.first().copied().unwrap_or_default();
                }
            }
            0xe0 => seen.jfif |= segment.starts_with(b"JFIF\0"),
            0xe1 => {
                seen.exif = seen.exif.or(segment.strip_prefix(b"Exif\0"));
                seen.xmp = seen.xmp.or(segment.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0"));
            }
            0xee if segment.starts_with(b"Adobe") => seen.adobe = segment.get(11).copied(),
            _ => {}
        }
        let Some(next) = rest.get(length..) else { break };
        rest = next;
    }
    seen
}

impl Outline<'_> {
    /// What the start-of-frame marker asks for, where no decoder here gives it.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        match self.coding? {
            BASELINE | EXTENDED | PROGRESSIVE => None,
            0xc3 => Some("lossless coding"),
            0xc5..=0xc7 => Some("hierarchical coding"),
            _ => Some("arithmetic coding"),
        }
    }

    /// Whether the blocks come one after the other, without passes.
    pub(super) fn sequential(&self) -> bool {
        matches!(self.coding, Some(BASELINE | EXTENDED))
    }

    /// Width and height.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        let [_, h1, h0, w1, w0, ..] = self.frame else { return None };
        Some((u16::from_be_bytes([*w1, *w0]).into(), u16::from_be_bytes([*h1, *h0]).into()))
    }

    /// Whether zune-jpeg is right about files of this kind; those of almost all cameras and programs are.
    pub(super) fn ordinary(&self) -> bool {
        let [8, _, _, _, _, count, parts @ ..] = self.frame else { return false };
        let parts: Vec<(u8, u8)> = parts
            .chunks_exact(3)
            .filter_map(|part| Some((*part.first()?, *part.get(1)?)))
            .take(usize::from(*count))
            .collect();
        let (ids, factors): (Vec<u8>, Vec<u8>) = parts.into_iter().unzip();
        let factors = match factors.as_slice() {
            [_] => true,
            [luma, 0x11, 0x11] => matches!(luma, 0x11 | 0x21 | 0x12 | 0x22),
            [0x11, 0x11, 0x11, 0x11] => true,
            _ => false,
        };
        let colours = match ids.len() {
            3 => match self.adobe {
                Some(0) => !self.jfif,
                Some(_) => true,
                None => self.jfif || ids != *b"RGB",
            },
            4 => self.adobe.is_some(),
            _ => true,
        };
        let together = !self.sequential() || self.scans == 1 && self.first_scan == *count;
        self.end.is_some() && factors && colours && together
    }
}

#[cfg(test)]
mod tests {
    use super::outline;

    #[test]
    fn only_an_end_outside_of_segments_counts() {
        let ends = |bytes: &[u8]| outline(bytes).end.is_some();
        assert!(ends(&[0xff, 0xd8, 0xff, 0xd9]));
        assert!(ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xff, 0xd9, 7, 7]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 9, 0xff, 0xd9]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0x00, 2, 0xff]));
        assert!(!ends(&[]));
        assert_eq!(outline(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xff, 0xd9, 7]).end, Some(9));
    }

    #[test]
    fn the_first_frame_tells_the_coding_and_tables_do_not() {
        let file = [0xff, 0xd8, 0xff, 0xc4, 0, 2, 0xff, 0xc9, 0, 2, 0xff, 0xc0, 0, 2];
        assert_eq!((outline(&file).coding, outline(&file).end), (Some(0xc9), None));
    }
}
