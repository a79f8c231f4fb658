//! The log of a stage: one CSV row an epoch, flushed as it is written.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::TrainError;

/// `STAGE.csv` in the run's folder.
pub struct Log {
    path: PathBuf,
    headed: bool,
}

impl Log {
    /// Opens the log of a stage; rows past `step` (of a life that was killed before its checkpoint) are taken out.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn open(folder: &Path, stage: &str, step: u64) -> Result<Self, TrainError> {
        let path = folder.join(format!("{stage}.csv"));
        let mut kept = String::new();
        if path.exists() {
            let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
            for (index, line) in text.lines().enumerate() {
                let at: Option<u64> = line.split(',').nth(1).and_then(|s| s.parse().ok());
                if (index == 0 && step > 0) || at.is_some_and(|at| at <= step) {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
            crate::checkpoint::write_whole(&path, kept.as_bytes())?;
        }
        Ok(Self { path, headed: !kept.is_empty() })
    }

    /// Adds the row of an epoch; the first one brings the heading.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn row(
        &mut self,
        epoch: u64,
        step: u64,
        rate: f64,
        loss: f64,
        seconds: f64,
        figures: &[(&'static str, f64)],
    ) -> Result<(), TrainError> {
        let mut text = String::new();
        if !self.headed {
            text.push_str("epoch,step,rate,loss,seconds");
            figures.iter().for_each(|(name, _)| text.push_str(&format!(",{name}")));
            text.push('\n');
            self.headed = true;
        }
        text.push_str(&format!("{epoch},{step},{rate:.3e},{loss:.6},{seconds:.1}"));
        figures.iter().for_each(|(_, value)| text.push_str(&format!(",{value:.6}")));
        text.push('\n');
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(|e| TrainError::io(&self.path, e))?;
        file.write_all(text.as_bytes()).map_err(|e| TrainError::io(&self.path, e))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_past_the_checkpoint_are_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), "anet", 0).unwrap();
        log.row(1, 10, 0.1, 2.0, 1.0, &[("accuracy", 0.5)]).unwrap();
        log.row(2, 20, 0.1, 1.0, 1.0, &[("accuracy", 0.6)]).unwrap();
        let mut log = Log::open(folder.path(), "anet", 12).unwrap();
        log.row(2, 20, 0.1, 1.5, 1.0, &[("accuracy", 0.7)]).unwrap();
        let text = std::fs::read_to_string(folder.path().join("anet.csv")).unwrap();
        let expected = "epoch,step,rate,loss,seconds,accuracy\n\
                        1,10,1.000e-1,2.000000,1.0,0.500000\n\
                        2,20,1.000e-1,1.500000,1.0,0.700000\n";
        assert_eq!(text, expected);
        Log::open(folder.path(), "anet", 0).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("anet.csv")).unwrap(), "");
    }
}
