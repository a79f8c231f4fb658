//! A table of images (CSV) from anywhere: a data set or a refusal. The folder holds two images that its rows can name: `a.png`, `b.jpg`.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lineament_data::table;
use lineament_fuzz::scratch_folder;

static TABLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = scratch_folder();
    for image in ["a.png", "b.jpg"] {
        fs::write(folder.join(image), "not looked into").expect("the folder can be written to");
    }
    folder.join("table.csv")
});

fuzz_target!(|bytes: &[u8]| {
    // The Parquet reader has a target of its own.
    if bytes.starts_with(b"PAR1") {
        return;
    }
    fs::write(&*TABLE, bytes).expect("the table can be written");
    if let Ok(data) = table::read(&TABLE) {
        assert!(!data.samples.is_empty());
        for sample in &data.samples {
            assert_eq!(sample.tags.len(), data.attributes.len());
            assert!(sample.path.is_file());
        }
    }
});
