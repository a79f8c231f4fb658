//! Modes of the files that the program writes, and links that it writes through.
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::common::Stage;
use assert_cmd::Command;
use predicates::prelude::*;

/// The program, called in the folder with the tiny model under this umask.
fn under_umask(stage: &Stage, umask: &str, arguments: &[&str]) {
    let mut command = Command::new("sh");
    command.current_dir(stage.path(""));
    // The shell is replaced by the program, which gets the umask and the arguments as they are.
    command.args(["-c", "umask \"$0\" && exec \"$@\"", umask, env!("CARGO_BIN_EXE_lineament")]);
    command.args(arguments).args(["--model", "tiny.lineament"]);
    command.assert().code(0);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

const OUTPUTS: [(&[&str], &str); 4] = [
    (&["predict", "photos/a.png", "--output", "faces.csv"], "faces.csv"),
    (&["predict", "photos/a.png", "--output", "none.csv", "--annotate", "marked"], "marked/a.faces.png"),
    (&["export", "--bundle", "out.lineament"], "out.lineament"),
    (&["export", "--onnx", "onnx"], "onnx/README.md"),
];

#[test]
fn new_files_have_the_mode_that_the_umask_lets() {
    let stage = Stage::new();
    for (arguments, output) in OUTPUTS {
        under_umask(&stage, "027", arguments);
        assert_eq!(mode(&stage.path(output)), 0o640, "{output}");
    }
}

#[test]
fn replaced_files_keep_their_mode() {
    let stage = Stage::new();
    for (arguments, output) in OUTPUTS {
        let path = stage.path(output);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        under_umask(&stage, "027", &[arguments, &["--force"]].concat());
        assert_eq!(mode(&path), 0o604, "{output}");
        assert_ne!(fs::read(&path).unwrap(), b"old", "{output}");
    }
}

#[test]
fn what_a_link_leads_to_is_written() {
    let stage = Stage::new();
    fs::create_dir(stage.path("elsewhere")).unwrap();
    symlink("elsewhere/faces.csv", stage.path("faces.csv")).unwrap();
    under_umask(&stage, "022", OUTPUTS[0].0);
    assert!(stage.path("faces.csv").is_symlink());
    assert_eq!(stage.listing("elsewhere"), ["faces.csv"]);
    assert!(stage.text("elsewhere/faces.csv").lines().count() > 1);
}

/// Refused, with this said, and the file is as it was.
fn kept(stage: &Stage, arguments: &[&str], file: &str, said: &str) {
    let before = fs::read(stage.path(file)).unwrap();
    let run = stage.with_model(arguments).assert().code(2);
    run.stderr(predicates::str::contains(said));
    assert!(fs::read(stage.path(file)).unwrap() == before, "{file}");
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let stage = Stage::new();
    symlink("photos/a.png", stage.path("soft.csv")).unwrap();
    fs::hard_link(stage.path("photos/a.png"), stage.path("hard.csv")).unwrap();
    fs::write(stage.path("list.csv"), "photos/a.png").unwrap();
    for more in [&[][..], &["--force"]] {
        let call = |paths: &'static str, output: &'static str| {
            let common: [&str; 4] = ["predict", paths, "--output", output];
            [&common[..], more].concat()
        };
        kept(&stage, &call("photos/a.png", "photos/a.png"), "photos/a.png", "says an image");
        kept(&stage, &call("photos", "photos/a.png"), "photos/a.png", "says an image");
        kept(&stage, &call("photos/a.png", "soft.csv"), "photos/a.png", "soft.csv is read");
        kept(&stage, &call("list.csv", "list.csv"), "list.csv", "list.csv is read");
    }
    // Found in a folder, only when its turn comes.
    kept(
        &stage,
        &["predict", "photos", "-o", "hard.csv", "--force"],
        "photos/a.png",
        "--output would replace it",
    );
    kept(&stage, &["predict", "photos", "-o", "hard.csv"], "photos/a.png", "is there already");
    let table = ["evaluate", "--data", "list.csv", "--output", "list.csv", "--format", "json", "--force"];
    kept(&stage, &table, "list.csv", "JSON would be written");
    assert!(stage.listing(".").iter().all(|name| !name.ends_with(".tmp")));
}

#[test]
fn a_name_that_says_another_format_is_refused() {
    let stage = Stage::new();
    for name in ["faces.png", "faces.xlsx", "faces.heic", "faces.csv.gz", "faces.feather"] {
        let run = stage.with_model(&["predict", "photos", "--output", name]).assert().code(2);
        run.stderr(predicates::str::contains(name).and(predicates::str::contains("name it")));
        let run = stage.with_model(&["export", "--bundle", name]).assert().code(2);
        run.stderr(predicates::str::contains("name it"));
        assert!(!stage.path(name).exists());
    }
    under_umask(&stage, "022", &["predict", "photos", "--output", "FACES.CSV"]);
    assert!(stage.text("FACES.CSV").starts_with("path,"));
}

#[test]
fn what_is_there_is_replaced_by_force_alone() {
    let stage = Stage::new();
    for (arguments, output) in OUTPUTS {
        let path = stage.path(output);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let run = stage.with_model(arguments).assert();
        // A copy of one image is left out; the rest goes on.
        let annotated = output.starts_with("marked");
        run.code(if annotated { 1 } else { 2 }).stderr(predicates::str::contains("--force"));
        assert_eq!(stage.text(output), "mine");
    }
}

#[test]
fn results_of_a_run_are_not_its_next_input() {
    let stage = Stage::new();
    let read = |arguments: &[&str]| {
        let run = stage.with_model(arguments).assert().code(0);
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        text.lines().count()
    };
    let call = ["predict", "photos", "--format", "jsonl"];
    for folder in ["photos", "photos/marked"] {
        let annotate = ["predict", "photos", "--format", "jsonl", "--annotate", folder];
        let maps = ["locate", "photos", "--format", "jsonl", "--maps", folder];
        for call in [&annotate[..], &maps, &annotate, &maps, &call] {
            assert_eq!(read(call), 3, "{call:?}");
        }
    }
    assert!(stage.path("photos/a.faces.png").exists() && stage.path("photos/marked/a.map.png").exists());
    assert_eq!(read(&["predict", "photos/*.png", "--format", "jsonl"]), 2, "a pattern");
    assert_eq!(read(&["predict", "photos/a.faces.png", "--format", "jsonl"]), 1, "named, it is read");
    // A photo that is merely called so is a photo.
    fs::copy(stage.path("photos/a.png"), stage.path("photos/our.faces.png")).unwrap();
    assert_eq!(read(&call), 4);
}
