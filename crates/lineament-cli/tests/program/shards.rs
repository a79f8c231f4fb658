//! `lineament predict --shards` through the binary.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::common::Stage;
use lineament::testing::blocks;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::parser::parse_message_type;
use predicates::prelude::*;

/// All shards by name, byte by byte.
fn shards(stage: &Stage, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let names = stage.listing(folder).into_iter().filter(|name| name.starts_with("shard-"));
    names.map(|name| (name.clone(), fs::read(stage.path(folder).join(name)).unwrap())).collect()
}

/// Path, number of the face, and error of every row.
fn rows(stage: &Stage, folder: &str) -> Vec<(String, u32, Option<String>)> {
    let mut rows = Vec::new();
    for name in shards(stage, folder).into_keys() {
        let file = File::open(stage.path(folder).join(name)).unwrap();
        for row in SerializedFileReader::new(file).unwrap().get_row_iter(None).unwrap() {
            let row: BTreeMap<String, Field> = row.unwrap().into_columns().into_iter().collect();
            let text = |name: &str| match &row[name] {
                Field::Str(text) => Some(text.clone()),
                _ => None,
            };
            let Field::UInt(face) = row["face"] else { panic!("a number is expected: {:?}", row["face"]) };
            rows.push((text("path").unwrap(), face, text("error")));
        }
    }
    rows
}

/// Images in the order of their first rows; fails where rows of one image do not follow each other from face 1 on.
fn images(rows: &[(String, u32, Option<String>)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (path, face, _) in rows {
        if *face <= 1 {
            assert!(!found.contains(path), "{path} is there twice");
            found.push(path.clone());
        } else {
            assert_eq!(found.last(), Some(path), "a second face without a first");
        }
    }
    found
}

#[test]
fn every_image_has_its_rows_once() {
    let stage = Stage::new();
    fs::write(stage.path("photos/broken.jpg"), "no picture").unwrap();
    let arguments = ["predict", "photos", "photos/a.png", "--shards", "out", "--shard-rows", "2"];
    stage.with_model(&arguments).assert().code(1).stderr(predicate::str::contains("broken.jpg"));
    assert_eq!(
        stage.listing("out"),
        ["shard-000000.parquet", "shard-000001.parquet"],
        "nothing that would not open as a table"
    );
    let rows = rows(&stage, "out");
    let expected = ["photos/a.png", "photos/broken.jpg", "photos/deep/b.png", "photos/grey.png"];
    assert_eq!(images(&rows), expected);
    let of = |name: &str| rows.iter().find(|row| row.0.ends_with(name)).unwrap();
    assert!(of("broken.jpg").2.as_ref().unwrap().contains("not a picture format"));
    assert_eq!((of("grey.png").1, &of("grey.png").2), (0, &None));
    assert_eq!(of("a.png").1, 1);

    // Again: nothing is done, and the broken image is still told.
    let before = shards(&stage, "out");
    stage
        .with_model(&arguments)
        .assert()
        .code(1)
        .stderr(predicate::str::contains("2 of 2 shards were there"));
    assert_eq!(shards(&stage, "out"), before);
}

#[test]
fn other_images_models_or_options_are_refused() {
    let stage = Stage::new();
    stage.with_model(&["predict", "photos", "--shards", "out"]).assert().code(0);
    let refused = |arguments: &[&str], what: &str| {
        stage.with_model(arguments).assert().code(2).stderr(predicate::str::contains(what));
    };
    fs::create_dir(stage.path("others")).unwrap();
    fs::copy(stage.path("photos/a.png"), stage.path("others/a.png")).unwrap();
    refused(&["predict", "others", "--shards", "out"], "are of other pictures");
    refused(&["predict", "photos/a.png", "--shards", "out"], "are of other pictures");
    refused(&["predict", "photos", "--shards", "out", "--shard-rows", "2"], "shard_rows differs");
    refused(&["predict", "photos", "--shards", "out", "--attributes", "Bald"], "attributes differs");
    refused(
        &["predict", "photos", "--shards", "out", "--operating-point", "balanced"],
        "operating_point differs",
    );
    stage
        .lineament(&["predict", "photos", "--shards", "out"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("model differs"));
    refused(&["predict", "photos", "--shards", "out", "--format", "csv"], "cannot be used with");
    refused(&["predict", "photos", "--shards", "out", "--key-column", "id"], "columns of a Parquet file");
    fs::write(stage.path("out/shard-000000.parquet"), "half").unwrap();
    refused(&["predict", "photos", "--shards", "out"], "is no shard of this run");
}

#[test]
fn images_come_from_a_column_of_bytes_too() {
    let stage = Stage::new();
    let files = ["photos/a.png", "photos/deep/b.png", "photos/grey.png"]
        .map(|name| fs::read(stage.path(name)).unwrap());
    // The fourth row has no image, the fifth one that cannot be read.
    let [first, second, third] = files;
    let cells = [first, second, third, b"no picture".to_vec()].map(ByteArray::from);
    let schema = "message m { required binary id (UTF8); optional binary image; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(stage.path("in.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let ids = ["a", "b", "grey", "none", "broken"].map(ByteArray::from);
    for (values, given) in [(&ids[..], None), (&cells, Some(&[1, 1, 1, 0, 1][..]))] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(values, given, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    stage.with_model(&["predict", "in.parquet", "--shards", "out", "--shard-rows", "2"]).assert().code(1);
    stage.with_model(&["predict", "photos", "--shards", "files"]).assert().code(0);
    let table = rows(&stage, "out");
    assert_eq!(images(&table), ["a", "b", "grey", "none", "broken"]);
    assert!(
        table
            .iter()
            .any(|row| row.2.as_ref().is_some_and(|error| error.contains("none: the row has no picture")))
    );
    let faces = |rows: &[(String, u32, Option<String>)]| {
        rows.iter().filter(|row| row.2.is_none()).map(|row| row.1).collect::<Vec<_>>()
    };
    assert_eq!(faces(&table), faces(&rows(&stage, "files")));
    stage
        .with_model(&["predict", "in.parquet", "--shards", "other", "--key-column", "name"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(
            "has no column name; name one with --key-column (it has id, image)",
        ));
}

/// SplitMix64.
fn random(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn ten_kills_lose_nothing_and_do_nothing_twice() {
    const KILLS: u32 = 10;
    let stage = Stage::new();
    fs::create_dir(stage.path("many")).unwrap();
    for seed in 0..120 {
        stage.photo(&format!("many/{seed:03}.png"), &blocks(100 + seed as u32, 90, seed));
    }
    let program = env!("CARGO_BIN_EXE_lineament");
    let call = |folder: &str| {
        let mut command = Command::new(program);
        command.current_dir(stage.path("."));
        command.args([
            "predict",
            "many",
            "--model",
            "tiny.lineament",
            "--threads",
            "2",
            "--shard-rows",
            "5",
            "--shards",
            folder,
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert!(call("whole").status().unwrap().success());

    let written = || if stage.path("killed").exists() { shards(&stage, "killed").len() } else { 0 };
    let mut seed = 5;
    let mut killed = 0;
    let mut growth = vec![0];
    for _ in 0..KILLS {
        let mut child = call("killed").spawn().unwrap();
        // By what is done, not by the clock, which a busy machine runs past: after no, one or two shards more, and somewhere in the next.
        let enough = growth.last().unwrap() + (3.0 * random(&mut seed)) as usize;
        while written() < enough && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_secs_f64(0.02 * random(&mut seed)));
        killed += u32::from(child.try_wait().unwrap().is_none());
        // SIGKILL on Unix: nothing is tidied up.
        child.kill().unwrap();
        child.wait().unwrap();
        growth.push(written());
    }
    assert!(killed >= KILLS / 2, "the run was over after {killed} kills, with so many shards: {growth:?}");
    assert!(growth.windows(2).all(|pair| pair[0] <= pair[1]), "{growth:?}");
    assert!(call("killed").status().unwrap().success());
    assert!(stage.listing("killed").iter().all(|name| !name.ends_with(".tmp")));
    let whole = shards(&stage, "whole");
    assert_eq!(whole.len(), 24);
    assert!(whole == shards(&stage, "killed"), "the shards differ");
    assert_eq!(images(&rows(&stage, "killed")).len(), 120);
}

/// Paths of all images that have rows, in the order of the shards.
fn paths(stage: &Stage, folder: &str) -> Vec<String> {
    images(&rows(stage, folder))
}

#[test]
fn one_folder_is_one_run_by_whatever_words() {
    let stage = Stage::new();
    let call = |words: &str| {
        let run = stage.with_model(&["predict", words, "--shards", "out", "--shard-rows", "2"]).assert();
        String::from_utf8(run.code(0).get_output().stderr.clone()).unwrap()
    };
    call("./photos");
    let before = shards(&stage, "out");
    assert_eq!(paths(&stage, "out"), ["photos/a.png", "photos/deep/b.png", "photos/grey.png"]);
    let absolute = stage.path("photos").canonicalize().unwrap();
    for words in ["photos/", "photos", "photos/../photos/.", absolute.to_str().unwrap()] {
        assert!(call(words).contains("2 of 2 shards were there"), "{words}");
        assert!(before == shards(&stage, "out"), "{words}");
    }
    // One that is missing is written anew, under the names of the first call.
    fs::remove_file(stage.path("out/shard-000000.parquet")).unwrap();
    call(absolute.to_str().unwrap());
    assert!(before == shards(&stage, "out"));
    // Said twice, an image has its rows once.
    stage.with_model(&["predict", "photos", "./photos/a.png", "--shards", "twice"]).assert().code(0);
    assert_eq!(paths(&stage, "twice").len(), 3);
}

#[test]
fn new_images_get_new_shards() {
    let stage = Stage::new();
    let call = |paths: &[&str]| {
        let mut command = stage.with_model(&["predict", "--shards", "out", "--shard-rows", "2"]);
        command.args(paths).assert()
    };
    call(&["photos"]).code(0);
    let first = shards(&stage, "out");
    stage.photo("photos/0-new.png", &blocks(90, 90, 7));
    stage.photo("photos/z-new.png", &blocks(90, 90, 8));
    call(&["photos"]).code(0).stderr(
        predicate::str::contains("5 pictures").and(predicate::str::contains("2 of 3 shards were there")),
    );
    let grown = shards(&stage, "out");
    assert!(first.iter().all(|(name, bytes)| grown.get(name) == Some(bytes)), "old shards stay");
    let expected =
        ["photos/a.png", "photos/deep/b.png", "photos/grey.png", "photos/0-new.png", "photos/z-new.png"];
    assert_eq!(paths(&stage, "out"), expected);
    // As a shell lists them, with another one; and a folder more.
    stage.photo("more.png", &blocks(90, 90, 9));
    let all =
        ["photos/0-new.png", "photos/a.png", "photos/deep/b.png", "photos/grey.png", "photos/z-new.png"];
    call(&[&all[..], &["more.png"]].concat()).code(0);
    assert_eq!(paths(&stage, "out").last().unwrap(), "more.png");
    call(&["photos/a.png", "photos/grey.png"]).code(2).stderr(predicate::str::contains("of other pictures"));
}

#[test]
fn folders_of_earlier_builds_are_gone_on_with() {
    let stage = Stage::new();
    let call = |folder: &str| {
        let mut command = stage.with_model(&["predict", "photos", "--shard-rows", "2", "--shards", folder]);
        command.assert().code(0)
    };
    call("new");
    // The form before: beside the shards, with the digest of the list; shards say no more than which run they are of.
    let mut before: serde_json::Value =
        serde_json::from_str(&noted(&stage, "new", "lineament.manifest")).unwrap();
    let members = before.as_object_mut().unwrap();
    let more: [(&str, serde_json::Value); 3] =
        [("format", 2.into()), ("pictures", 3.into()), ("source", "0123".into())];
    members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    fs::create_dir(stage.path("out")).unwrap();
    fs::write(stage.path("out/manifest.json"), before.to_string()).unwrap();
    fs::write(stage.path("out/.lock"), "").unwrap();
    call("out");
    let old = shards(&stage, "out");
    stage.photo("photos/new.png", &blocks(90, 90, 7));
    call("out").stderr(predicate::str::contains("2 of 3 shards were there"));
    assert!(old.iter().all(|(name, bytes)| shards(&stage, "out").get(name) == Some(bytes)));
    assert_eq!(paths(&stage, "out").last().unwrap(), "photos/new.png");
    call("out").stderr(predicate::str::contains("3 of 3 shards were there"));
    let other = ["predict", "photos", "--shards", "out", "--shard-rows", "2", "--max-faces", "1"];
    stage.with_model(&other).assert().code(2).stderr(predicate::str::contains("max_faces differs"));
}

/// What the first shard of a folder says under a key.
fn noted(stage: &Stage, folder: &str, key: &str) -> String {
    let file = File::open(stage.path(folder).join("shard-000000.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    pairs.into_iter().find(|pair| pair.key == key).unwrap().value.unwrap()
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_looked_into_is_named_and_passed_over() {
    use std::os::unix::fs::symlink;

    let stage = Stage::new();
    symlink("nowhere.png", stage.path("photos/gone.png")).unwrap();
    symlink(stage.path("photos"), stage.path("photos/deep/round")).unwrap();
    let call = ["predict", "photos", "--shards", "out"];
    for _ in 0..2 {
        let said = predicate::str::contains("gone.png").and(predicate::str::contains("deep/round"));
        let sum = predicate::str::contains("3 pictures").and(predicate::str::contains("2 not read"));
        stage.with_model(&call).assert().code(1).stderr(said.and(sum));
        assert_eq!(paths(&stage, "out"), ["photos/a.png", "photos/deep/b.png", "photos/grey.png"]);
    }
    // Mended, it is an image like any new one.
    fs::copy(stage.path("photos/a.png"), stage.path("photos/nowhere.png")).unwrap();
    fs::remove_file(stage.path("photos/deep/round")).unwrap();
    stage.with_model(&call).assert().code(0);
    assert_eq!(paths(&stage, "out")[3..], ["photos/gone.png", "photos/nowhere.png"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_no_utf_8_stay_distinct_and_lead_back() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let stage = Stage::new();
    fs::create_dir(stage.path("odd")).unwrap();
    for name in [&b"a\xff.png"[..], b"a\xfe.png", b"100%.png"] {
        fs::copy(stage.path("photos/a.png"), stage.path("odd").join(OsStr::from_bytes(name))).unwrap();
    }
    stage.with_model(&["predict", "odd", "--shards", "out"]).assert().code(0);
    let found = paths(&stage, "out");
    assert_eq!(found.len(), 3, "{found:?}");
    let there: Vec<_> = found.iter().map(|text| lineament::path_text::from_text(text)).collect();
    assert!(there.iter().all(|path| stage.path("").join(path).is_file()), "{there:?}");
    stage.with_model(&["predict", "odd", "--shards", "out"]).assert().code(0);
    assert_eq!(paths(&stage, "out"), found);
    // The text may be typed, too, and every format has it.
    let odd = found.iter().find(|text| text.starts_with("file://")).unwrap();
    for format in ["csv", "jsonl"] {
        let run = stage.with_model(&["predict", odd, "--format", format]).assert().code(0);
        assert!(String::from_utf8(run.get_output().stdout.clone()).unwrap().contains(odd));
    }
}

#[test]
fn parquet_is_compressed_as_asked() {
    let stage = Stage::new();
    for (name, kind) in [("snappy", "SNAPPY"), ("zstd", "ZSTD"), ("none", "UNCOMPRESSED")] {
        let shards = ["predict", "photos", "--shards", name, "--compression", name];
        stage.with_model(&shards).assert().code(0);
        let file = File::open(stage.path(name).join("shard-000000.parquet")).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let found = reader.metadata().row_group(0).column(0).compression();
        assert!(found.to_string().starts_with(kind), "{found}");
        assert_eq!(paths(&stage, name).len(), 3);
    }
}
