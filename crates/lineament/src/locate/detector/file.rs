//! A detector's file, read and tried.

use super::run::DetectorLocalizer;
use super::{Detector, Family};
use crate::locate::LocateError;
use lineament_onnx::{Limits, Model};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A detector of others with its ONNX file: what [`TaggerBuilder::detector`](crate::TaggerBuilder::detector) takes.
///
/// ```no_run
/// use lineament::{Tagger, locate::DetectorFile};
///
/// let detector = DetectorFile::open("face_detection_yunet_2023mar.onnx")?;
/// let faces = Tagger::builder().detector(detector).build()?.predict("party.jpg")?.faces;
/// # Ok::<(), lineament::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorFile {
    detector: Detector,
    onnx: Vec<u8>,
}

impl DetectorFile {
    /// The detector in a file. Its outputs say which one it is, and it is tried on a blank image.
    ///
    /// # Errors
    /// A file that cannot be read or is too large, and what [`DetectorFile::read`] refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LocateError> {
        let path = path.as_ref();
        let named =
            |reason: String| LocateError::Detector { reason: format!("{}: {reason}", path.display()) };
        let unread = |error: std::io::Error| named(error.to_string());
        if std::fs::metadata(path).map_err(unread)?.len() > Detector::MAX_BYTES as u64 {
            return Err(named(too_large()));
        }
        Self::read(std::fs::read(path).map_err(unread)?).map_err(|error| match error {
            LocateError::Detector { reason } => named(reason),
            other => other,
        })
    }

    /// The detector in the bytes of a file, with the constants that its authors run it with.
    ///
    /// # Errors
    /// Bytes that are no ONNX, a net with other outputs than the known detectors have, or one that cannot be run.
    pub fn read(onnx: Vec<u8>) -> Result<Self, LocateError> {
        let refused = |reason: String| LocateError::Detector { reason };
        if onnx.len() > Detector::MAX_BYTES {
            return Err(refused(too_large()));
        }
        let model = Model::read(&onnx, Limits::default()).map_err(|error| refused(error.to_string()))?;
        let has = |family: &&Family| {
            family.outputs().iter().all(|name| model.outputs().any(|other| other == *name))
        };
        let Some(family) = Family::ALL.iter().find(has) else {
            let outputs = model.outputs().take(20).collect::<Vec<_>>().join(", ");
            let reason = format!(
                "its outputs ({outputs}) are those of none of the known detectors, YuNet and UltraFace"
            );
            return Err(refused(reason));
        };
        let mut detector = Detector::of(*family);
        if let &[_, _, height, width] = model.input() {
            detector.canvas = height
                .zip(width)
                .map(|(height, width)| [width, height].map(|side| u32::try_from(side).unwrap_or(u32::MAX)));
        }
        detector.check()?;
        // A net that gives something else is refused now, not at the first photo.
        DetectorLocalizer::new(detector.clone(), &onnx)?.try_out()?;
        Ok(Self { detector, onnx })
    }

    /// YuNet, which is compiled in.
    ///
    /// # Errors
    /// None in a build with the feature `yunet`; others say how to get it.
    pub fn yunet() -> Result<Self, LocateError> {
        #[cfg(feature = "yunet")]
        return Self::read(include_bytes!("../../../detectors/yunet/yunet_n_dynamic.onnx").to_vec());
        #[cfg(not(feature = "yunet"))]
        Err(LocateError::Detector {
            reason: "YuNet is not compiled in: build with the feature `yunet`, or name a file".to_owned(),
        })
    }

    /// `yunet` takes [`DetectorFile::yunet`], anything else is a file's path.
    ///
    /// # Errors
    /// As [`DetectorFile::open`].
    pub fn named(name: &Path) -> Result<Self, LocateError> {
        if name == Path::new(Family::Yunet.name()) && !name.exists() {
            Self::yunet()
        } else {
            Self::open(name)
        }
    }

    /// What it is run with.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// SHA-256 of its file, as hexadecimal digits.
    pub fn hash(&self) -> String {
        Sha256::digest(&self.onnx).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What it is run with, and the bytes of its file.
    pub fn into_parts(self) -> (Detector, Vec<u8>) {
        (self.detector, self.onnx)
    }
}

fn too_large() -> String {
    format!("the file is larger than {} MiB, which no known detector is", Detector::MAX_BYTES >> 20)
}
