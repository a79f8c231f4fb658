//! A Parquet file from anywhere, column by column.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lineament_data::columns::ParquetFile;
use lineament_fuzz::{let_caught_panics_pass, scratch_folder};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| scratch_folder().join("table.parquet"));

/// Cells read of a column; a file may claim any number of rows.
const MOST: usize = 4096;

fuzz_target!(init: let_caught_panics_pass(), |bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("the file can be written");
    let Ok(table) = ParquetFile::open(&FILE) else { return };
    let names: Vec<String> = table.names().into_iter().map(str::to_owned).collect();
    for name in &names {
        for column in [table.column(&[name]), table.column(&[name, "bytes"])].into_iter().flatten() {
            for first in [0, 3] {
                let mut cells = table.cells(column, first);
                let mut read = 0;
                while let Ok(batch) = cells.read(61) {
                    assert!(batch.len() <= 61);
                    read += batch.len();
                    if batch.is_empty() || read > MOST {
                        break;
                    }
                }
                assert!(read <= table.rows().saturating_sub(first));
            }
        }
    }
});
