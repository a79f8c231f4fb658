//! A detector's file from anywhere: refused, or tried and able to look at a photo.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::Photo;
use lineament::locate::{DetectorFile, Search};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = DetectorFile::read(bytes.to_vec()) else { return };
    let (detector, onnx) = file.into_parts();
    let localizer = detector.localizer(&onnx).expect("a file that was tried can be run");
    let photo = Photo::filled(60, 40, [90, 120, 150]);
    if let Ok(faces) = localizer.locate(&photo, &Search::default()) {
        assert!(faces.iter().all(|face| face.rect.is_finite()));
    }
});
