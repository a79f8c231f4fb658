//! Paths as text, from which the file is found again.
//!
//! JSON, CSV and Parquet hold UTF-8. On Unix a name may be any bytes; such a path is written as a `file:` URI (RFC 8089) with the bytes of
//! its absolute path in per cents, so that two names never become one.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

const SCHEME: &str = "file://";

/// What stands in a URI's path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path as it is where it is UTF-8, else as a URI.
///
/// ```
/// # use std::path::Path;
/// assert_eq!(lineament::path_text::to_text(Path::new("photos/Zoë.jpg")), "photos/Zoë.jpg");
/// ```
pub fn to_text(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) => Cow::Borrowed(text),
        None => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let bytes = absolute.as_os_str().as_encoded_bytes();
            Cow::Owned(format!("{SCHEME}{}", percent_encode(bytes, ESCAPED)))
        }
    }
}

/// The path that [`to_text`] wrote; any other text is the path itself.
pub fn from_text(text: &str) -> PathBuf {
    let Some(rest) = text.strip_prefix(SCHEME) else { return PathBuf::from(text) };
    path_of(percent_decode_str(rest).collect())
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_utf_8_are_left_alone() {
        for name in ["a.jpg", "photos/Zoë 100%.jpg", "/a\\xff.jpg", "a%FF.jpg"] {
            assert_eq!(to_text(Path::new(name)), name);
            assert_eq!(from_text(name), Path::new(name));
        }
    }

    #[cfg(unix)]
    #[test]
    fn other_names_stay_distinct_and_lead_back() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let mut texts = std::collections::BTreeSet::new();
        for name in [&b"/p/a\xff.jpg"[..], b"/p/a\xfe.jpg", b"/p/\xe9t\xe9 100%.jpg", b"/p/\xff/b.jpg"] {
            let path = Path::new(OsStr::from_bytes(name));
            let text = to_text(path).into_owned();
            assert!(text.starts_with("file:///") && text.is_ascii(), "{text}");
            assert_eq!(from_text(&text), std::path::absolute(path).unwrap_or_default());
            assert!(texts.insert(text));
        }
        let relative = Path::new(OsStr::from_bytes(b"a\xff.jpg"));
        assert!(from_text(&to_text(relative)).is_absolute());
    }
}
