#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float32Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

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
    let columns: [(&str, ArrayRef); 10] = [
        ("path", Arc::new(StringArray::from(vec!["a.jpg", "sub/b.png", "c.jpg"]))),
        ("person", Arc::new(StringArray::from(vec!["Ann", "Bob", "Ann"]))),
        ("split", Arc::new(StringArray::from(vec!["train", "test", "train"]))),
        ("x", Arc::new(Float32Array::from(vec![Some(1.0), None, Some(5.0)]))),
        ("y", Arc::new(Float32Array::from(vec![Some(2.0), None, Some(5.0)]))),
        ("width", Arc::new(Float32Array::from(vec![Some(30.0), None, Some(10.0)]))),
        ("height", Arc::new(Float32Array::from(vec![Some(40.0), None, Some(10.5)]))),
        ("Smiling", Arc::new(Int64Array::from(vec![1, -1, 1]))),
        ("Hat", Arc::new(BooleanArray::from(vec![Some(false), None, Some(true)]))),
        ("note", Arc::new(StringArray::from(vec!["first", "second", ""]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
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
    assert_eq!(count(FindingKind::RowWithoutPicture), 1);
    assert_eq!(count(FindingKind::RepeatedName), 1);
    assert_eq!(count(FindingKind::PathOutside), 2);
    assert_eq!(count(FindingKind::MalformedRow), 1);
    assert_eq!(count(FindingKind::NotAPicture), 1);
    assert_eq!(count(FindingKind::SplitsDrawn), 1);
    let text = set.report.to_string();
    assert!(text.contains("line 4: gone.jpg"), "{text}");
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
