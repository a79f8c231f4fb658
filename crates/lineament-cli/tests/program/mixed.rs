//! A folder as people have it, every file of which is accounted for: read, not read for a reason, or passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::Stage;
use lineament::path_text;
use lineament_data::columns::ParquetFile;
use serde_json::Value;

/// Files that are whole, one of each format, by their endings.
const WHOLE: [(&str, &str); 12] = [
    ("baseline.jpg", "jpg"),
    ("progressive.jpg", "JPEG"),
    ("labelled.heic", "HEIC"),
    ("unlabelled.heic", "heif"),
    ("palette.png", "png"),
    ("cmyk.tif", "tiff"),
    ("turned.tif", "TIF"),
    ("tiles.avif", "avif"),
    ("colour.jxl", "jxl"),
    ("colour.jp2", "jp2"),
    ("lossy.webp", "webp"),
    ("colour.bmp", "bmp"),
];

/// Names that programs stumble over, before an ending.
const ODD: [&[u8]; 10] = [
    b"two\nlines",
    b"bell\x07 and \x1b[31mred",
    b"\xff\xfe no UTF-8",
    b"\xe9t\xe9",
    b"-o --format",
    b"a,b;\"c\" 'd'",
    b"*?[x]{y}~$HOME",
    b" leading and trailing ",
    "Zoë 日本 \u{202e}".as_bytes(),
    b"photo.jpg",
];

/// What was put into a folder.
#[derive(Default)]
struct Mixed {
    read: BTreeSet<PathBuf>,
    /// Other names of files that are read.
    links: BTreeSet<PathBuf>,
    unread: BTreeSet<PathBuf>,
    /// Links that lead nowhere or back.
    places: usize,
    passed_over: usize,
}

impl Mixed {
    fn entries(&self) -> usize {
        self.read.len() + self.links.len() + self.unread.len() + self.places + self.passed_over
    }

    /// Fills a folder with that many entries.
    fn new(folder: &Path, entries: usize) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lineament/tests/fixtures");
        let whole = WHOLE.map(|(name, ending)| (fs::read(fixtures.join(name)).unwrap(), ending));
        let mut mixed = Self::default();
        for number in 0.. {
            let missing = entries - mixed.entries();
            if missing == 0 {
                return mixed;
            }
            let album = folder.join(format!("{:03}/{:02}", number / 400, number / 40 % 10));
            fs::create_dir_all(&album).unwrap();
            let (bytes, ending) = &whole[number % whole.len()];
            let odd = ODD[number / 2 % ODD.len()];
            let name = |stem: &[u8], ending: &str| {
                album.join(OsStr::from_bytes(
                    &[format!("{number} ").as_bytes(), stem, b".", ending.as_bytes()].concat(),
                ))
            };
            mixed.add(number % 20, name, (bytes, ending), odd, missing);
        }
        mixed
    }

    fn add(
        &mut self,
        kind: usize,
        name: impl Fn(&[u8], &str) -> PathBuf,
        (bytes, ending): (&[u8], &str),
        odd: &[u8],
        missing: usize,
    ) {
        let write = |path: PathBuf, bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            path
        };
        let album = name(b"", "").parent().unwrap().to_owned();
        match kind {
            // Sidecars, and other files beside a photo.
            0 if missing > 3 => {
                let photo = write(name(b"with sidecar", ending), bytes);
                write(
                    name(b"with sidecar", &format!("{ending}.xmp")),
                    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
                );
                write(name(b"with sidecar", "aae"), b"<plist/>");
                write(name(b"with sidecar", "MOV"), b"\0\0\0\x14ftypqt  ");
                self.read.insert(photo);
                self.passed_over += 3;
            }
            // A photo by several names.
            1 if missing > 2 => {
                let photo = write(name(b"original", ending), bytes);
                fs::hard_link(&photo, name(b"hard link", ending)).unwrap();
                symlink(&photo, name(b"link", ending)).unwrap();
                self.read.extend([photo, name(b"hard link", ending)]);
                self.links.insert(name(b"link", ending));
            }
            2 => {
                symlink("nowhere.jpg", name(b"dangling", "jpg")).unwrap();
                self.places += 1;
            }
            3 => {
                symlink("..", name(b"loop", "jpg")).unwrap();
                self.places += 1;
            }
            4 => {
                symlink(name(b"itself", "jpg"), name(b"itself", "jpg")).unwrap();
                self.places += 1;
            }
            5 => {
                self.unread.insert(write(name(b"cut", ending), &bytes[..bytes.len() / 2]));
            }
            6 => {
                self.unread.insert(write(name(b"empty", ending), b""));
            }
            7 => {
                self.unread.insert(write(name(b"text", ending), b"<html>404</html>"));
            }
            8 => {
                self.unread.insert(write(name(b"layers", "psd"), b"8BPS\0\x01"));
            }
            9 => {
                write(album.join(format!(".hidden {}", self.entries())), bytes);
                self.passed_over += 1;
            }
            10 => {
                let folder = album.join(format!(".thumbnails {}", self.entries()));
                fs::create_dir(&folder).unwrap();
                write(folder.join("a.jpg"), bytes);
                self.passed_over += 1;
            }
            11 => {
                write(name(odd, "txt"), b"no picture");
                self.passed_over += 1;
            }
            12 => {
                write(name(b"no ending", "").with_extension(""), bytes);
                self.passed_over += 1;
            }
            // A name that a socket may have, which is no longer than a hundred bytes.
            13 => {
                let path = album.join(format!("s{}.jpg", self.entries()));
                if UnixListener::bind(&path).is_ok() {
                    self.passed_over += 1;
                }
            }
            14 if missing > 1 => {
                let text = write(name(b"linked", "txt"), b"no picture");
                symlink(text, name(b"to a text", "md")).unwrap();
                self.passed_over += 2;
            }
            _ => {
                self.read.insert(write(name(odd, ending), bytes));
            }
        }
    }
}

fn run(stage: &Stage, arguments: &[&str]) -> Output {
    // A program that is built already, such as one with optimizations.
    let mut command = match std::env::var_os("LINEAMENT_PROGRAM") {
        Some(program) => assert_cmd::Command::new(program),
        None => stage.lineament(&[]),
    };
    command.current_dir(stage.path("."));
    command.args(["predict", "--model", "tiny.lineament", "--attributes", "Smiling"]).args(arguments);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What is said of a run, in lines.
fn check_notes(mixed: &Mixed, output: &Output, read: usize) {
    let notes = String::from_utf8(output.stderr.clone()).unwrap();
    let unread = mixed.unread.len() + mixed.places;
    assert_eq!(notes.lines().filter(|line| line.starts_with("not read: ")).count(), unread, "{notes}");
    // A name with a line break begins no line of its own. Every minute there is one on how far the program is.
    let known = |line: &str| {
        line.starts_with("not read: ") || line.starts_with("note: ") || line.contains(" pictures · ")
    };
    assert!(notes.lines().all(known), "{notes}");
    assert!(notes.contains(&format!("note: {} passed over: ", mixed.passed_over)), "{notes}");
    let summary = String::from_utf8_lossy(&output.stdout).into_owned() + &notes;
    assert!(summary.contains(&format!("{read} pictures")), "{read} of\n{summary}");
    assert!(summary.contains(&format!(", {unread} not read")), "{unread} of\n{summary}");
}

/// Paths as texts lead back to files, each once.
fn files<'a>(stage: &Stage, texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for text in texts {
        assert!(files.insert(stage.path(".").join(path_text::from_text(text))), "{text} is there twice");
    }
    // The test's own paths and the program's differ by a dot.
    files.into_iter().map(|file| file.components().collect()).collect()
}

fn union(sets: &[&BTreeSet<PathBuf>]) -> BTreeSet<PathBuf> {
    sets.iter().flat_map(|set| set.iter().map(|path| path.components().collect())).collect()
}

fn every_file_is_accounted_for(entries: usize) {
    let stage = Stage::new();
    let mixed = Mixed::new(&stage.path("mixed"), entries);
    assert_eq!(mixed.entries(), entries);
    let looked_at = union(&[&mixed.read, &mixed.links]);
    let all = union(&[&looked_at, &mixed.unread]);
    let read = looked_at.len();

    check_notes(&mixed, &run(&stage, &["mixed"]), read);

    let output = run(&stage, &["mixed", "--format", "jsonl"]);
    check_notes(&mixed, &output, read);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(files(&stage, rows.iter().map(|row| row["path"].as_str().unwrap())), all);
    let failed = rows.iter().filter(|row| row.get("error").is_some());
    assert_eq!(files(&stage, failed.map(|row| row["path"].as_str().unwrap())), union(&[&mixed.unread]));

    // Faces have rows here, and photos that could not be read; the others are in the sum.
    let output = run(&stage, &["mixed", "--format", "csv"]);
    check_notes(&mixed, &output, read);
    let mut rows: BTreeMap<String, bool> = BTreeMap::new();
    for row in csv::Reader::from_reader(output.stdout.as_slice()).records() {
        let row = row.unwrap();
        let failed = rows.insert(row[0].to_owned(), !row[11].is_empty());
        assert_ne!(failed, Some(true), "{row:?}");
    }
    let of = |failed: bool| rows.iter().filter(move |row| *row.1 == failed).map(|row| row.0.as_str());
    assert_eq!(files(&stage, of(true)), union(&[&mixed.unread]));
    assert!(files(&stage, of(false)).is_subset(&looked_at));

    let output = run(&stage, &["mixed", "-o", "faces.parquet"]);
    check_notes(&mixed, &output, read);
    let faces: BTreeSet<String> = column(&stage.path("faces.parquet"), "path").into_iter().collect();
    assert_eq!(faces, of(false).map(str::to_owned).collect());

    // A shard has a row for every file, whatever its name; a folder that is given twice is there once.
    let output = run(&stage, &["mixed", "--shards", "shards", "--shard-rows", "1000"]);
    check_notes(&mixed, &output, read);
    let mut keys = BTreeSet::new();
    for shard in stage.listing("shards") {
        let of_shard: BTreeSet<_> = column(&stage.path("shards").join(shard), "path").into_iter().collect();
        assert!(of_shard.iter().all(|key| keys.insert(key.clone())), "a picture is in two shards");
    }
    assert_eq!(files(&stage, keys.iter().map(String::as_str)), all);
    let again = run(&stage, &["mixed", "./mixed", "--shards", "shards", "--shard-rows", "1000"]);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains(&format!("note: {} more paths lead to the same pictures", all.len())), "{said}");
    assert!(said.contains(&format!("note: {read} pictures with")), "{said}");
}

fn column(path: &Path, name: &str) -> Vec<String> {
    let table = ParquetFile::open(path).unwrap();
    let mut cells = table.cells(table.column(&[name]).unwrap(), 0);
    cells.read(table.rows()).unwrap().into_iter().map(|cell| cell.text().unwrap()).collect()
}

#[test]
fn every_file_of_a_mixed_folder_is_accounted_for() {
    every_file_is_accounted_for(400);
}

#[test]
#[ignore = "minutes; run by hand: LINEAMENT_PROGRAM=target/release/lineament cargo test -p lineament-cli --test mixed -- --ignored"]
fn every_file_of_ten_thousand_is_accounted_for() {
    every_file_is_accounted_for(10_000);
}
