//! The directories of a TIFF (6.0, section 2) or BigTIFF: entries, and the values that they lead to.

/// Directories in a file at most, with those below others.
const MOST: usize = 256;

/// Values of an entry at most, so that a forged count costs nothing.
const LONGEST: u64 = 1 << 26;

/// Tags that are read.
pub(in crate::photo) mod tag {
    pub const SUBFILE: u16 = 254;
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTES: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const COLOUR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTES: u16 = 325;
    pub const SUB_DIRECTORIES: u16 = 330;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const JPEG_OFFSET: u16 = 513;
    pub const SUBSAMPLING: u16 = 530;
    pub const XMP: u16 = 700;
    pub const DNG: u16 = 50706;

    /// Those without which an image cannot be read, or would be read wrongly.
    pub const MATTER: [u16; 21] = [
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        STRIP_OFFSETS,
        ORIENTATION,
        SAMPLES,
        ROWS_PER_STRIP,
        STRIP_BYTES,
        PLANAR,
        PREDICTOR,
        COLOUR_MAP,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_BYTES,
        EXTRA_SAMPLES,
        SAMPLE_FORMAT,
        JPEG_TABLES,
    ];
}

/// A file, read in its byte order and with its size of offsets.
#[derive(Clone, Copy)]
pub(in crate::photo) struct File<'a> {
    pub(in crate::photo) bytes: &'a [u8],
    pub(in crate::photo) big_endian: bool,
    /// Offsets of eight bytes.
    large: bool,
}

/// Where the value of a tag is.
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    at: usize,
}

/// One image, or what is said of one.
pub(in crate::photo) struct Directory<'a> {
    file: File<'a>,
    entries: Vec<Entry>,
    /// Below another one, and not in the list of pages.
    pub(in crate::photo) below: bool,
    /// The file ends before it does, or before a value that matters.
    pub(in crate::photo) cut: bool,
}

impl<'a> File<'a> {
    /// `None` where the first bytes are not those of a TIFF.
    pub(in crate::photo) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (big_endian, large) = match bytes.get(..4)? {
            b"II\x2a\0" => (false, false),
            b"MM\0\x2a" => (true, false),
            b"II\x2b\0" => (false, true),
            b"MM\0\x2b" => (true, true),
            // Olympus and Panasonic write raw files with marks of their own.
            b"IIRO" | b"IIRS" | b"IIU\0" => (false, false),
            b"MMOR" => (true, false),
            _ => return None,
        };
        Some(Self { bytes, big_endian, large })
    }

    /// An unsigned integer of `size` bytes.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let push = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) })
    }

    fn offset(&self, at: usize) -> Option<usize> {
        usize::try_from(self.number(at, if self.large { 8 } else { 4 })?).ok()
    }

    /// All directories in the order in which they are linked, each followed by those below it.
    pub(in crate::photo) fn directories(&self) -> Vec<Directory<'a>> {
        let (mut found, mut seen) = (Vec::new(), Vec::new());
        let mut ahead = vec![(self.offset(if self.large { 8 } else { 4 }).unwrap_or(0), false)];
        while let Some((at, below)) = ahead.pop() {
            if at == 0 || seen.contains(&at) || seen.len() >= MOST {
                continue;
            }
            seen.push(at);
            let Some((directory, next)) = self.directory(at, below) else { continue };
            if let Some(next) = next.filter(|_| !below) {
                ahead.push((next, false));
            }
            let children = directory.numbers(tag::SUB_DIRECTORIES);
            ahead.extend(children.iter().rev().filter_map(|&at| Some((usize::try_from(at).ok()?, true))));
            found.push(directory);
        }
        found
    }

    fn directory(&self, at: usize, below: bool) -> Option<(Directory<'a>, Option<usize>)> {
        let (head, size, inline) = if self.large { (8, 20, 8) } else { (2, 12, 4) };
        let count = usize::try_from(self.number(at, head)?).ok()?;
        let mut entries = Vec::new();
        let mut place = at.checked_add(head)?;
        let mut cut = false;
        for _ in 0..count {
            let Some(count) = self.number(place.checked_add(4)?, inline) else {
                cut = true;
                break;
            };
            let (tag, kind) = (self.number(place, 2)? as u16, self.number(place + 2, 2)? as u16);
            let value = place + 4 + inline;
            let length = count.checked_mul(width(kind) as u64);
            let fits = length.is_some_and(|bytes| bytes <= inline as u64);
            let at = if fits { Some(value) } else { self.offset(value) };
            let end = at.zip(length).and_then(|(at, length)| (at as u64).checked_add(length));
            // Private tags and descriptions may point anywhere.
            cut |= tag::MATTER.contains(&tag) && end.is_none_or(|end| end > self.bytes.len() as u64);
            entries.extend(at.map(|at| Entry { tag, kind, count, at }));
            place = place.checked_add(size)?;
        }
        Some((Directory { file: *self, entries, below, cut }, self.offset(place)))
    }
}

/// Bytes of a value of a type.
fn width(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

impl<'a> Directory<'a> {
    /// The bytes of a tag's value; nothing where it is missing or lies outside of the file.
    pub(in crate::photo) fn bytes(&self, tag: u16) -> &'a [u8] {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag) else { return &[] };
        usize::try_from(entry.count.min(LONGEST))
            .ok()
            .and_then(|count| count.checked_mul(width(entry.kind)))
            .and_then(|length| self.file.bytes.get(entry.at..entry.at.checked_add(length)?))
            .unwrap_or_default()
    }

    /// The integers of a tag.
    pub(in crate::photo) fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag) else { return Vec::new() };
        if matches!(entry.kind, 5 | 10..=12) {
            return Vec::new();
        }
        let size = width(entry.kind);
        let part = File { bytes: self.bytes(tag), ..self.file };
        (0..part.bytes.len() / size).filter_map(|index| part.number(index * size, size)).collect()
    }

    /// The first integer of a tag, or `or` where there is none.
    pub(in crate::photo) fn number(&self, tag: u16, or: u32) -> u32 {
        let first = self.numbers(tag).first().copied();
        first.map_or(or, |number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(in crate::photo) fn has(&self, tag: u16) -> bool {
        self.entries.iter().any(|entry| entry.tag == tag)
    }

    /// Width and height of its image; zeros where it has none.
    pub(in crate::photo) fn size(&self) -> (u32, u32) {
        (self.number(tag::WIDTH, 0), self.number(tag::HEIGHT, 0))
    }

    /// How the image is turned, 1 to 8, where it says so.
    pub(in crate::photo) fn orientation(&self) -> Option<u8> {
        let value = u8::try_from(self.number(tag::ORIENTATION, 0)).ok();
        value.filter(|value| (1..=8).contains(value)).or_else(|| {
            let xmp = self.bytes(tag::XMP);
            (!xmp.is_empty()).then(|| crate::photo::orientation::in_xmp(xmp)).flatten()
        })
    }

    pub(in crate::photo) fn file(&self) -> File<'a> {
        self.file
    }
}
