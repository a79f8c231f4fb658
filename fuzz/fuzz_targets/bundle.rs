//! A model's file from anywhere: read or refused; what is read can be written and read again, and its nets are made ready or refused.
//!
//! The checksum over card and tensors is not looked at in a build for fuzzing (`cfg(fuzzing)`), so that the fuzzer gets behind it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::{Bundle, Tagger};

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = Bundle::read(bytes) else { return };
    assert_eq!(bundle.bytes(), bytes);
    let again = bundle.with_svms(bundle.card(), &bundle.parts().svms);
    let again = again.expect("a bundle that was read can be written");
    assert_eq!(again.card(), bundle.card());
    assert_eq!(again.parts(), bundle.parts());
    let _ = Tagger::new(bundle);
});
