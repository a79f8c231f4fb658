//! Images that cannot be read, or not in the ordinary way: what is said of them, and the status.

use std::fs;

use crate::common::Stage;
use predicates::prelude::*;
use predicates::str::contains;

#[test]
fn a_folder_with_pictures_of_other_formats_says_so() {
    let stage = Stage::new();
    fs::write(stage.path("photos/layers.psd"), b"8BPS\0\x01").unwrap();
    fs::write(stage.path("photos/more.PSD"), b"8BPS\0\x01").unwrap();
    fs::write(stage.path("photos/broken.heic"), b"\0\0\0\x14ftypheic\0\0\0\0heic").unwrap();
    fs::write(stage.path("photos/notes.txt"), b"no picture").unwrap();
    let sum = "3 pictures could not be read (2 .psd, 1 .heic)";
    stage
        .with_model(&["locate", "photos"])
        .assert()
        .code(1)
        .stderr(contains("layers.psd: not a picture format Lineament reads: this is PSD"))
        .stderr(contains(sum))
        .stderr(contains("pass --skip-unreadable"));
    stage
        .with_model(&["locate", "photos", "--skip-unreadable"])
        .assert()
        .code(0)
        .stderr(contains(sum))
        .stderr(contains("pass --skip-unreadable").not());
}

#[test]
fn the_limit_of_pixels_is_the_one_that_the_message_names() {
    let stage = Stage::new();
    // 1,200,000 pixels of one bit.
    fs::write(stage.path("large.pbm"), [&b"P4 1200 1000\n"[..], &[0; 150_000]].concat()).unwrap();
    stage
        .with_model(&["locate", "large.pbm", "--max-pixels", "1"])
        .assert()
        .code(1)
        .stderr(contains("1200 x 1000 pixels"))
        .stderr(contains("--max-pixels"));
    stage.with_model(&["locate", "large.pbm", "--max-pixels", "2"]).assert().code(0);
    stage.with_model(&["locate", "large.pbm"]).assert().code(0);
}

#[test]
fn what_is_odd_about_a_file_that_was_read_is_said() {
    let stage = Stage::new();
    let whole = fs::read(stage.path("photos/a.png")).unwrap();
    fs::write(stage.path("open.png"), &whole[..whole.len() - 12]).unwrap();
    stage
        .with_model(&["locate", "open.png"])
        .assert()
        .code(0)
        .stderr(contains("open.png: the PNG has no end marker; its pixels are complete"));
}
