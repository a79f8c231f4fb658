//! Bytes of any origin as an image: no panic, no size beyond the limits, and pixels that fill the size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::{Limits, Photo};

const LIMITS: Limits = Limits { max_pixels: 1 << 16, max_bytes: 1 << 20 };

fuzz_target!(|bytes: &[u8]| {
    if let Ok(photo) = Photo::decode(bytes, &LIMITS) {
        let pixels = u64::from(photo.width()) * u64::from(photo.height());
        assert!(pixels > 0 && pixels <= LIMITS.max_pixels);
        assert_eq!(photo.pixels().len() as u64, 3 * pixels);
        assert_eq!(Photo::decode(bytes, &LIMITS).as_ref(), Ok(&photo), "the same bytes give the same pixels");
    }
});
