//! Modes of the files that the program writes, and links that it writes through.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use assert_cmd::Command;
use common::Stage;

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
        under_umask(&stage, "027", arguments);
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
