//! IPTC-IIM, the older keywords and captions of photos, as JPEG and TIFF hold it.

use super::{number, part, plain};

/// The resource of Photoshop that holds IPTC.
const RESOURCE: usize = 0x0404;

/// Records in their order.
#[derive(Debug, Default)]
pub struct Iptc {
    /// Of the second record, which is about the image.
    pub records: Vec<Record>,
}

/// One value.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, such as 25 of a keyword.
    pub number: u8,
    /// What it says.
    pub text: String,
}

impl Iptc {
    /// Reads datasets; ends at what is none.
    pub fn read(bytes: &[u8]) -> Self {
        let mut records = Vec::new();
        let mut is_utf_8 = false;
        let mut at = 0;
        while let Some([0x1c, record, dataset, high, low]) = part(bytes, at, 5) {
            at += 5;
            let mut length = number(&[*high, *low]);
            if length & 0x8000 != 0 {
                // So many bytes hold the length.
                let digits = length & 0x7fff;
                let Some(digits) = part(bytes, at, digits.min(4)) else { break };
                length = number(digits);
                at += digits.len();
            }
            let Some(value) = part(bytes, at, length) else { break };
            at += length;
            match (record, dataset) {
                (1, 90) => is_utf_8 = value == b"\x1b%G",
                (2, number) => records.push((*number, value)),
                _ => {}
            }
        }
        let record = |(number, value): (u8, &[u8])| Record { number, text: text(value, is_utf_8) };
        let records = records.into_iter().map(record).filter(|record| !record.text.is_empty()).collect();
        Self { records }
    }

    /// All values of a number.
    pub fn all(&self, number: u8) -> impl Iterator<Item = &str> {
        self.records.iter().filter(move |record| record.number == number).map(|record| record.text.as_str())
    }
}

/// Text of a stated or an unknown encoding: where it is no UTF-8, Latin-1 is what was usual.
fn text(value: &[u8], is_utf_8: bool) -> String {
    let text = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) if is_utf_8 => String::from_utf8_lossy(value).into_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    plain(&text)
}

/// The IPTC among Photoshop's resources; bytes that are IPTC already are left as they are.
pub fn in_resources(bytes: &[u8]) -> Vec<u8> {
    if bytes.first() == Some(&0x1c) {
        return bytes.to_vec();
    }
    let mut at = 0;
    while let Some(kind) = part(bytes, at, 6) {
        if !kind.starts_with(b"8BIM") {
            break;
        }
        let id = kind.get(4..).map_or(0, number);
        // A name with its length before it; both fill an even number of bytes.
        let name = bytes.get(at + 6).map_or(0, |length| usize::from(*length) + 1);
        let at_length = at + 6 + name + name % 2;
        let Some(length) = part(bytes, at_length, 4).map(number) else { break };
        let Some(content) = part(bytes, at_length + 4, length) else { break };
        if id == RESOURCE {
            return content.to_vec();
        }
        at = at_length + 4 + length + length % 2;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_their_encoding() {
        let records = |bytes: &[u8]| -> Vec<(u8, String)> {
            Iptc::read(bytes).records.into_iter().map(|record| (record.number, record.text)).collect()
        };
        let zoe = [(25, "Zoë".to_owned())];
        assert_eq!(records(b"\x1c\x01\x5a\0\x03\x1b%G\x1c\x02\x19\0\x04Zo\xc3\xab"), zoe);
        assert_eq!(records(b"\x1c\x02\x19\0\x04Zo\xc3\xab"), zoe, "UTF-8 that nobody stated");
        assert_eq!(records(b"\x1c\x02\x19\0\x03Zo\xeb"), zoe, "Latin-1");
        assert_eq!(records(b"\x1c\x02\x19\x80\x04\0\0\0\x03Zo\xeb"), zoe, "a long length");
        assert_eq!(records(b"\x1c\x02\x19\0\x09Zo"), [], "cut off");
        assert_eq!(records(b"\x1c\x02\x19\xff\xff"), []);
        assert_eq!(records(b"\x1c\x02\x19\0\x06 a\x01b\n\0"), [(25, "ab".to_owned())], "what XML cannot say");
    }

    #[test]
    fn iptc_is_found_among_resources() {
        let iptc = b"\x1c\x02\x19\0\x01a";
        let mut bytes = b"8BIM\x03\xed\x03abc\0\0\0\x03xyz\0".to_vec();
        bytes.extend(b"8BIM\x04\x04\0\0\0\0\0\x06");
        bytes.extend(iptc);
        assert_eq!(in_resources(&bytes), iptc);
        assert_eq!(in_resources(iptc), iptc);
        assert_eq!(in_resources(b"8BIM\x04\x04"), b"");
    }
}
