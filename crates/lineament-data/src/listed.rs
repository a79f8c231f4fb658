//! Lists and tables as text, whatever they went through on their way.

/// The text of a file of any of Unicode's forms: without a byte order mark, and without the NULs that some programs leave in it.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], of: fn([u8; 2]) -> u16| -> String {
        let units = bytes.as_chunks().0.iter().map(|pair| of(*pair));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    // A list of entries that NUL ends has no lines of its own.
    if text.contains('\0') && !text.contains('\n') {
        text.replace('\0', "\n")
    } else {
        text.replace('\0', "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_nuls_are_no_text() {
        let utf_16: Vec<u8> = "\u{feff}a,é\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(plain(&utf_16), "a,é\n");
        assert_eq!(plain("\u{feff}a,é\r\n".as_bytes()), "a,é\r\n");
        assert_eq!(plain(b"a.jpg 1\0\nb.jpg\0 -1\n\0\0"), "a.jpg 1\nb.jpg -1\n");
        assert_eq!(plain(b"a.jpg\0b.jpg\0"), "a.jpg\nb.jpg\n");
        assert_eq!(plain(b"\xff.jpg"), "\u{fffd}.jpg");
    }
}
