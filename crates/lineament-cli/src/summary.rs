//! What happened in all.

use std::fmt::Write as _;

use lineament::Prediction;
use serde::{Deserialize, Serialize};

/// Counts over a run, or over a shard of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Images read.
    #[serde(rename = "pictures")]
    pub images: u64,
    /// Faces in them.
    pub faces: u64,
    /// Faces that a limit of faces cut.
    #[serde(default)]
    pub faces_left_out: u64,
    /// Faces of a lower quality than was asked for.
    #[serde(default)]
    pub faces_of_low_quality: u64,
    /// Images, or paths, that could not be read.
    pub unread: u64,
    /// Images that were read, and whose sidecar or annotated copy could not be written.
    #[serde(skip)]
    pub unwritten: u64,
}

impl Summary {
    /// Counts what another part of the run counted.
    pub fn add_all(&mut self, other: &Self) {
        self.images += other.images;
        self.faces += other.faces;
        self.faces_left_out += other.faces_left_out;
        self.faces_of_low_quality += other.faces_of_low_quality;
        self.unread += other.unread;
        self.unwritten += other.unwritten;
    }

    /// Counts an image that was read.
    pub fn add(&mut self, prediction: &Prediction) {
        self.images += 1;
        self.faces += prediction.faces.len() as u64;
        self.faces_left_out += prediction.faces_left_out as u64;
        self.faces_of_low_quality += prediction.faces_of_low_quality.unwrap_or(0) as u64;
    }

    /// What is said of the faces that options cut: nobody's are left out in silence.
    pub fn cuts(&self) -> impl Iterator<Item = String> {
        let left_out = (self.faces_left_out > 0).then(|| left_out(self.faces_left_out));
        let low = (self.faces_of_low_quality > 0).then(|| low_quality(self.faces_of_low_quality));
        left_out.into_iter().chain(low)
    }

    /// `3 faces in 2 pictures, 1 not read`, and what else there is to say.
    pub fn sentence(&self) -> String {
        let mut text = format!("{} in {}", counted(self.faces, "face"), counted(self.images, "picture"));
        // A text is written to without failing.
        for cut in self.cuts() {
            let _ = write!(text, ", {cut}");
        }
        if self.unread > 0 {
            let _ = write!(text, ", {} not read", self.unread);
        }
        if self.unwritten > 0 {
            let _ = write!(text, ", {} read but not written to", self.unwritten);
        }
        text
    }
}

fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// What is said where a limit of faces cut some.
pub fn left_out(faces: u64) -> String {
    format!("{} left out by --max-faces", counted(faces, "face"))
}

/// The same where a least quality cut some.
pub fn low_quality(faces: u64) -> String {
    format!("{} left out by --least-quality", counted(faces, "face"))
}
