//! A stage for the binary: a folder with a tiny model and a few images.

#![allow(dead_code, clippy::unwrap_used, reason = "every test file uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use lineament::locate::{LnetMethod, PaperParameters};
use lineament::testing::{blocks, random_parts, tiny_card};
use lineament::{Bundle, Photo};
use lineament_net::Precision;
use tempfile::TempDir;

/// The folder that a test plays in; gone with it.
pub struct Stage(TempDir);

impl Stage {
    /// A model `tiny.lineament` that finds something in every image with edges, and `photos/` with two such images, one in
    /// a folder of its own, and a grey one without.
    pub fn new() -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        let mut card = tiny_card();
        card.lnets_mut().unwrap().method =
            LnetMethod::Paper(PaperParameters { threshold: 0.0, ..PaperParameters::default() });
        let parts = random_parts(&card, 7).unwrap();
        Bundle::new(&card, &parts, Precision::F32).unwrap().write(&stage.path("tiny.lineament")).unwrap();
        fs::create_dir_all(stage.path("photos/deep")).unwrap();
        stage.photo("photos/a.png", &blocks(120, 100, 1));
        stage.photo("photos/deep/b.png", &blocks(160, 90, 2));
        stage.photo("photos/grey.png", &Photo::filled(64, 48, [128; 3]));
        fs::write(stage.path("photos/readme.txt"), "no picture").unwrap();
        stage
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes an image.
    pub fn photo(&self, name: &str, photo: &Photo) {
        photo.save_png(&self.path(name)).unwrap();
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What lies in a folder, hidden files too.
    pub fn listing(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The program, called in the folder.
    pub fn lineament(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("lineament").unwrap();
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// The program with the tiny model.
    pub fn with_model(&self, arguments: &[&str]) -> Command {
        let mut command = self.lineament(arguments);
        command.args(["--model", "tiny.lineament"]);
        command
    }
}

/// What the program wrote to standard output when all went well.
pub fn output(command: &mut Command) -> String {
    String::from_utf8(command.assert().code(0).get_output().stdout.clone()).unwrap()
}

/// Images that may be shown to anybody.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}
