//! What is embedded in an image file from anywhere (XMP, IPTC, EXIF), as a sidecar takes it over: refused, or a text that is merged like any
//! other sidecar.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_fuzz::sidecars;
use lineament_xmp::{Embedded, carried};

fuzz_target!(|bytes: &[u8]| {
    let embedded = Embedded::read(bytes);
    if let Ok(text) = carried(&embedded) {
        sidecars::check(&text);
    } else {
        assert!(!embedded.xmp.is_empty(), "IPTC and EXIF are taken as far as they are understood");
    }
});
