//! Writes the seeds that no text editor can: a tiny model for `bundle`, small tables for `parquet`.
//! `cargo run --example seeds` in this folder.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use lineament::Bundle;
use lineament::testing::{random_parts, tiny_card};
use lineament_net::Precision;
use parquet::basic::Compression;
use parquet::data_type::{ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

fn main() -> Result<(), Box<dyn Error>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for target in ["bundle", "parquet"] {
        fs::create_dir_all(seeds.join(target))?;
    }
    // Three attributes instead of forty: the fuzzer has less to copy.
    let mut card = tiny_card();
    card.attributes.truncate(3);
    let parts = random_parts(&card, 1)?;
    for (precision, name) in [(Precision::F16, "half"), (Precision::F32, "single")] {
        let bundle = Bundle::new(&card, &parts, precision)?;
        fs::write(seeds.join(format!("bundle/{name}.lineament")), bundle.bytes())?;
    }
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        for dictionary in [true, false] {
            let name = format!("{compression:?}-{dictionary}.parquet").to_lowercase();
            table(&seeds.join("parquet").join(name), compression, dictionary)?;
        }
    }
    Ok(())
}

/// Two row groups of an image in a struct, a number with gaps, text and a list.
fn table(path: &Path, compression: Compression, dictionary: bool) -> Result<(), Box<dyn Error>> {
    let schema = "message m {
        optional group image { optional binary bytes; optional binary path (UTF8); }
        optional int32 Smiling;
        required double x;
        repeated int32 list;
    }";
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(dictionary)
        .set_data_page_row_count_limit(2)
        .set_write_batch_size(2);
    let schema = Arc::new(parse_message_type(schema)?);
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties.build()))?;
    for group in 0..2 {
        let mut rows = writer.next_row_group()?;
        for column in 0..5 {
            let mut next = rows.next_column()?.ok_or("a column is missing")?;
            match column {
                0 | 1 => {
                    let values = [b"\x89PNG".to_vec().into(), b"a.png".to_vec().into()];
                    next.typed::<ByteArrayType>().write_batch(&values, Some(&[2, 1, 2]), None)?;
                }
                2 => {
                    next.typed::<Int32Type>().write_batch(&[group, -1], Some(&[1, 0, 1]), None)?;
                }
                3 => {
                    next.typed::<DoubleType>().write_batch(&[0.5, 2.0, 0.5], None, None)?;
                }
                _ => {
                    next.typed::<Int32Type>().write_batch(
                        &[1, 2],
                        Some(&[1, 1, 0, 0]),
                        Some(&[0, 1, 0, 0]),
                    )?;
                }
            }
            next.close()?;
        }
        rows.close()?;
    }
    writer.close()?;
    Ok(())
}
