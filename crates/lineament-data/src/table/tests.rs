#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::*;

fn folder_with(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"not decoded while reading").unwrap();
    }
    dir
}

const CSV: &str = "path,person,split,x,y,width,height,Smiling,Hat,note\n\
    a.jpg,Ann,train,1,2,30,40,1,false,first\n\
    sub/b.png,Bob,test,,,,,-1,,second\n\
    c.jpg,Ann,train,5,5,10,10.5,yes,true,\n";

fn write_parquet(path: &Path) {
    let schema = "message m { required binary path (UTF8); required binary person (UTF8); required binary split (UTF8);
        optional float x; optional float y; optional float width; optional float height;
        required int64 Smiling; optional boolean Hat; required binary note (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = [["a.jpg", "sub/b.png", "c.jpg"], ["Ann", "Bob", "Ann"], ["train", "test", "train"]];
    for texts in texts {
        column::<ByteArrayType>(&mut group, &texts.map(ByteArray::from), None);
    }
    for values in [[1.0, 5.0], [2.0, 5.0], [30.0, 10.0], [40.0, 10.5]] {
        column::<FloatType>(&mut group, &values, Some(&[1, 0, 1]));
    }
    column::<Int64Type>(&mut group, &[1, -1, 1], None);
    column::<BoolType>(&mut group, &[false, true], Some(&[1, 0, 1]));
    column::<ByteArrayType>(&mut group, &["first", "second", ""].map(ByteArray::from), None);
    group.close().unwrap();
    writer.close().unwrap();
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    given: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, given, None).unwrap();
    column.close().unwrap();
}

#[test]
fn csv_and_parquet_agree() {
    let dir = folder_with(&["a.jpg", "sub/b.png", "c.jpg"]);
    let (csv, parquet) = (dir.path().join("t.csv"), dir.path().join("t.parquet"));
    fs::write(&csv, CSV).unwrap();
    write_parquet(&parquet);
    let from_csv = read(&csv).unwrap();
    let from_parquet = read(&parquet).unwrap();
    assert_eq!(from_csv, from_parquet);

    assert_eq!(from_csv.attributes, ["Smiling", "Hat"]);
    assert_eq!(from_csv.report.count(FindingKind::IgnoredColumn), 1);
    let [a, b, c] = from_csv.samples.as_slice() else { unreachable!("three samples are expected") };
    assert_eq!(a.tags, [Some(true), Some(false)]);
    assert_eq!(b.tags, [Some(false), None]);
    assert_eq!(c.tags, [Some(true), Some(true)]);
    assert_eq!((a.identity, b.identity, c.identity), (Some(0), Some(1), Some(0)));
    assert_eq!((a.split, b.split, c.split), (Split::Train, Split::Test, Split::Train));
    assert_eq!(a.rect, Some(Rect { x: 1.0, y: 2.0, width: 30.0, height: 40.0 }));
    assert_eq!(b.rect, None);
}

#[test]
fn what_does_not_fit_is_counted_with_its_line() {
    let dir = folder_with(&["a.jpg", "b.jpg", "list.txt"]);
    let csv = dir.path().join("t.csv");
    let text = "path,Hat,x,y,width,height\na.jpg,1,0,0,0,5\nb.jpg,maybe,1,2,3,4\ngone.jpg,1,,,,\na.jpg,0,,,,\n\
        ../a.jpg,1,,,,\n/etc/hosts,1,,,,\n,1,,,,\nlist.txt,0,,,,\n";
    fs::write(&csv, text).unwrap();
    let set = read(&csv).unwrap();
    assert_eq!(set.len(), 2);
    let count = |kind| set.report.count(kind);
    assert_eq!(count(FindingKind::EmptyBox), 1);
    assert_eq!(count(FindingKind::UnreadableTag), 1);
    assert_eq!(count(FindingKind::RowWithoutImage), 2);
    assert_eq!(count(FindingKind::RepeatedName), 1);
    assert_eq!(count(FindingKind::MalformedRow), 1);
    assert_eq!(count(FindingKind::NotAnImage), 2);
    assert_eq!(count(FindingKind::SplitsDrawn), 1);
    let text = set.report.to_string();
    assert!(text.contains("line 4: gone.jpg"), "{text}");
}

#[test]
fn paths_may_be_absolute_or_lead_out_of_the_folder() {
    let dir = folder_with(&["photos/a.jpg", "photos/b.jpg", "tables/notes.txt"]);
    let csv = dir.path().join("tables/t.csv");
    let absolute = dir.path().join("photos/a.jpg").display().to_string();
    fs::write(&csv, format!("path,Hat\n{absolute},1\n../photos/b.jpg,0\n")).unwrap();
    let set = read(&csv).unwrap();
    assert_eq!(set.len(), 2);
    assert!(set.samples.iter().all(|sample| sample.path.is_file()));
}

#[test]
fn tables_are_read_as_spreadsheets_write_them() {
    let dir = folder_with(&["a.jpg", "b.jpg", "c.jpg"]);
    let file = dir.path().join("t.csv");
    let rows = ["path,Hat,\"Note, or none\"", "a.jpg,Yes,", "b.jpg,NO,", "c.jpg,-1,"];
    let plain = rows.join("\n");
    let utf_16: Vec<u8> = format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (how, bytes) in [
        ("plain", plain.clone().into_bytes()),
        (
            "a mark before a quoted name",
            format!("\u{feff}{}", plain.replace("path", "\"path\"")).into_bytes(),
        ),
        ("CRLF", rows.join("\r\n").into_bytes()),
        ("CR", rows.join("\r").into_bytes()),
        ("semicolons", plain.replace(',', ";").replace("Note; or", "Note, or").into_bytes()),
        ("tabs", plain.replace(',', "\t").replace("Note\t or", "Note, or").into_bytes()),
        ("UTF-16", utf_16),
        ("NUL", format!("{}\0\0", plain.replace("b.jpg", "b.jpg\0")).into_bytes()),
    ] {
        fs::write(&file, bytes).unwrap();
        let set = read(&file).unwrap();
        let tags: Vec<_> =
            set.samples.iter().map(|sample| (sample.name.as_str(), sample.tags.clone())).collect();
        let expected =
            [("a.jpg", vec![Some(true)]), ("b.jpg", vec![Some(false)]), ("c.jpg", vec![Some(false)])];
        assert_eq!(tags, expected, "{how}");
        assert_eq!(set.attributes, ["Hat"], "{how}");
    }
}

#[test]
fn unusable_tables_say_what_is_wrong() {
    let dir = folder_with(&["a.jpg"]);
    let csv = dir.path().join("t.csv");
    let message = |text: &str| {
        fs::write(&csv, text).unwrap();
        read(&csv).unwrap_err().to_string()
    };
    assert!(message("Smiling,Hat\n1,0\n").contains("no column `path`"));
    assert!(message("path,Hat,Hat\na.jpg,0,1\n").contains("twice"));
    assert!(message("path,Hat\nb.jpg,0\n").contains("relative to the table"));
    assert!(message("").contains("no column `path`"));
    let forged = dir.path().join("t.parquet");
    fs::write(&forged, b"PAR1 and nothing else").unwrap();
    assert!(read(&forged).unwrap_err().to_string().contains("t.parquet"));
    assert!(read(&dir.path().join("no.csv")).unwrap_err().to_string().contains("is not there"));
}

#[test]
fn another_column_may_tell_people_apart() {
    let dir = folder_with(&["a.jpg", "b.jpg", "c.jpg"]);
    let file = dir.path().join("t.csv");
    fs::write(&file, "path,who,Smiling\na.jpg,Ann,1\nb.jpg,Bob,0\nc.jpg,Ann,1\n").unwrap();
    assert_eq!(read(&file).unwrap().people(), 0);
    let set = read_by(&file, Some("WHO")).unwrap();
    assert_eq!((set.people(), set.attributes), (2, vec!["Smiling".to_owned()]));
    let refused = read_by(&file, Some("whom")).unwrap_err().to_string();
    assert!(refused.contains("\"whom\"") && refused.contains("path, who, Smiling"), "{refused}");
}
