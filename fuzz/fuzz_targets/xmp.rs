//! A sidecar from anywhere: refused, or merged so that merging once more changes nothing, and so that our entries can be taken back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_fuzz::sidecars;

fuzz_target!(|text: &str| sidecars::check(text));
