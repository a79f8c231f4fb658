use std::path::PathBuf;

use parquet::data_type::{BoolType, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::*;

/// A file of one column: what its type is, and row groups of values.
fn one<T: DataType>(kind: &str, groups: &[Vec<Option<T::T>>]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let schema = Arc::new(parse_message_type(&format!("message m {{ {kind}; }}")).unwrap());
    // Small pages, so that skipping passes some.
    let properties = WriterProperties::builder().set_data_page_row_count_limit(3).set_write_batch_size(2);
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).unwrap();
    for group in groups {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let levels: Vec<i16> = group.iter().map(|value| i16::from(value.is_some())).collect();
        let values: Vec<T::T> = group.iter().flatten().cloned().collect();
        column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.close().unwrap();
    (folder, path)
}

fn texts<T: DataType>(kind: &str, values: &[Option<T::T>]) -> Vec<Option<String>> {
    let (_folder, path) = one::<T>(kind, &[values.to_vec()]);
    let file = ParquetFile::open(&path).unwrap();
    let column = file.column(&["c"]).unwrap();
    let cells = file.cells(column, 0).read(usize::MAX).unwrap();
    cells.into_iter().map(Cell::text).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn cells_are_what_was_written() {
    let both = [Some(true), Some(false)];
    assert_eq!(texts::<BoolType>("required boolean c", &both), some(&["true", "false"]));
    assert_eq!(texts::<Int32Type>("required int32 c", &[Some(-1), Some(7)]), some(&["-1", "7"]));
    let largest = [Some(u32::MAX.cast_signed())];
    assert_eq!(texts::<Int32Type>("required int32 c (UINT_32)", &largest), some(&["4294967295"]));
    let unsigned = "required int32 c (INTEGER(8,false))";
    assert_eq!(texts::<Int32Type>(unsigned, &[Some(200)]), some(&["200"]));
    assert_eq!(texts::<Int64Type>("required int64 c", &[Some(i64::MIN)]), some(&["-9223372036854775808"]));
    assert_eq!(texts::<FloatType>("required float c", &[Some(0.1), Some(-2.0)]), some(&["0.1", "-2"]));
    assert_eq!(texts::<DoubleType>("required double c", &[Some(0.1)]), some(&["0.1"]));
    let names = [Some("Ann".into()), Some("".into()), Some(vec![0xff_u8].into())];
    let reported = texts::<ByteArrayType>("required binary c (UTF8)", &names);
    assert_eq!(reported, [Some("Ann".to_owned()), Some(String::new()), None]);
    let gaps = [None, Some(3), None, Some(4)];
    let reported = texts::<Int32Type>("optional int32 c", &gaps);
    assert_eq!(reported, [None, Some("3".to_owned()), None, Some("4".to_owned())]);
}

#[test]
fn every_usual_compression_is_read() {
    use parquet::basic::Compression;

    let folder = tempfile::tempdir().unwrap();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        let path = folder.path().join("t.parquet");
        let schema = Arc::new(parse_message_type("message m { required binary c (UTF8); }").unwrap());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let values: Vec<_> = (0..500).map(|row| format!("img/{row:03}.jpg").into_bytes().into()).collect();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
        writer.close().unwrap();
        let file = ParquetFile::open(&path).unwrap();
        let cells = file.cells(file.column(&["c"]).unwrap(), 0).read(usize::MAX).unwrap();
        assert_eq!(cells.len(), 500, "{compression}");
        assert_eq!(cells[123].clone().text().unwrap(), "img/123.jpg", "{compression}");
    }
}

#[test]
fn parts_are_found_and_lists_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let schema = "message m { required group image { optional binary bytes; optional binary path (UTF8); }
        repeated int32 many; required int32 id; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap().close().unwrap();
    let file = ParquetFile::open(&path).unwrap();
    assert_eq!((file.names(), file.rows()), (vec!["image", "many", "id"], 0));
    let bytes = file.column(&["image", "bytes"]).unwrap();
    assert!(bytes.of_bytes && !file.column(&["id"]).unwrap().of_bytes);
    assert_eq!([file.column(&["image"]), file.column(&["many"]), file.column(&["no"])], [None; 3]);
    assert_eq!(file.cells(bytes, 0).read(5).unwrap(), []);
}

proptest! {
    /// From any row on, in steps of any size, over row groups of any size: the cells from there on.
    #[test]
    fn any_part_of_a_column_is_read(
        groups in prop::collection::vec(prop::collection::vec(prop::option::of(any::<i32>()), 0..12), 0..4),
        first in 0..40_usize,
        step in 1..9_usize,
    ) {
        let (_folder, path) = one::<Int32Type>("optional int32 c", &groups);
        let file = ParquetFile::open(&path).unwrap();
        let all: Vec<Option<String>> = groups.concat().iter().map(|value| value.map(|v| v.to_string())).collect();
        prop_assert_eq!(file.rows(), all.len());
        let mut cells = file.cells(file.column(&["c"]).unwrap(), first);
        let mut found = Vec::new();
        loop {
            let some = cells.read(step).unwrap();
            if some.is_empty() {
                break;
            }
            found.extend(some.into_iter().map(Cell::text));
        }
        prop_assert_eq!(&found[..], all.get(first..).unwrap_or_default());
    }

    /// A file that is cut or changed anywhere is refused or read, and never more.
    #[test]
    fn damage_is_an_error(cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), value: u8) {
        let values: Vec<Option<i32>> = (0..40).map(|value| (value % 5 != 0).then_some(value)).collect();
        let (_folder, path) = one::<Int32Type>("optional int32 c", &[values.clone(), values]);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[at.index(whole.len())] = value;
        for bytes in [&whole[..cut.index(whole.len())], &changed] {
            std::fs::write(&path, bytes).unwrap();
            let Ok(file) = ParquetFile::open(&path) else { continue };
            let Some(column) = file.column(&["c"]) else { continue };
            let _ = file.cells(column, 3).read(100);
        }
    }
}

#[test]
fn lists_of_numbers_are_read_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let message = "message m { required binary path (UTF8); optional group vector (LIST) { repeated group list { optional float element; } } }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let properties = WriterProperties::builder().set_data_page_row_count_limit(2).set_write_batch_size(2);
    let mut writer =
        SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::new(properties.build()))
            .unwrap();
    // Two row groups: [1, 2], no list, [3, (nothing), 4]; then [5].
    for (values, definition, repetition) in [
        (vec![1.0, 2.0, 3.0, 4.0], vec![3, 3, 0, 3, 2, 3], vec![0, 1, 0, 0, 1, 1]),
        (vec![5.0], vec![3], vec![0]),
    ] {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let names = vec!["a".into(); repetition.iter().filter(|level| **level == 0).count()];
        column.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<FloatType>().write_batch(&values, Some(&definition), Some(&repetition)).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.close().unwrap();
    let file = ParquetFile::open(&path).unwrap();
    let lists = vec![vec![1.0, 2.0], vec![], vec![3.0, 4.0], vec![5.0]];
    assert_eq!(file.lists("vector").unwrap(), Some(lists));
    assert_eq!(file.lists("other").unwrap(), None);
    assert!(file.lists("path").unwrap_err().to_string().contains("one list of numbers"));
}
