//! The log of a stage: one CSV row an epoch, flushed as it is written.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::TrainError;

/// The columns before the stage's own figures.
const COLUMNS: [&str; 6] = ["epoch", "step", "rate", "loss", "seconds", "waited"];

/// What a log says of an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u64,
    /// Steps so far.
    pub step: u64,
    /// Learning rate of its last step.
    pub rate: f64,
    /// Mean loss of its steps.
    pub loss: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Of them, seconds in which steps waited for batches.
    pub waited: f64,
    /// Named figures on the validation part.
    pub figures: Vec<(String, f64)>,
}

impl Epoch {
    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// `STAGE.csv` in the run's folder, and what stands in it.
pub struct Log {
    path: PathBuf,
    epochs: Vec<Epoch>,
}

impl Log {
    /// Opens the log of a stage; rows past `step` (of a life that was killed before its checkpoint) are taken out.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn open(folder: &Path, stage: &str, step: u64) -> Result<Self, TrainError> {
        let path = folder.join(format!("{stage}.csv"));
        let mut epochs = read(&path)?;
        if path.exists() {
            epochs.retain(|epoch| epoch.step <= step);
            let mut text = epochs.first().map(heading).unwrap_or_default();
            epochs.iter().for_each(|epoch| text.push_str(&row(epoch)));
            crate::checkpoint::write_whole(&path, text.as_bytes())?;
        }
        Ok(Self { path, epochs })
    }

    /// The epochs so far.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Adds an epoch; the first one brings the heading.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&mut self, epoch: Epoch) -> Result<(), TrainError> {
        let mut text = if self.epochs.is_empty() { heading(&epoch) } else { String::new() };
        text.push_str(&row(&epoch));
        let opened = OpenOptions::new().create(true).append(true).open(&self.path);
        let mut file = opened.map_err(|e| TrainError::io(&self.path, e))?;
        file.write_all(text.as_bytes()).map_err(|e| TrainError::io(&self.path, e))?;
        self.epochs.push(epoch);
        Ok(())
    }
}

/// The epochs of a log; none where there is no file. Rows that are no log's are passed over, as a killed run may leave half of one.
///
/// # Errors
/// When the file can't be read.
pub fn read(path: &Path) -> Result<Vec<Epoch>, TrainError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(TrainError::io(path, e)),
    };
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let epoch = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let cell =
            |name: &str| cells.get(names.iter().position(|known| *known == name)?)?.parse::<f64>().ok();
        let own = names.iter().filter(|name| !COLUMNS.contains(*name));
        Some(Epoch {
            number: cell("epoch")? as u64,
            step: cell("step")? as u64,
            rate: cell("rate")?,
            loss: cell("loss")?,
            seconds: cell("seconds")?,
            // Logs of earlier builds lack it.
            waited: cell("waited").unwrap_or_default(),
            figures: own.map(|name| Some(((*name).to_owned(), cell(name)?))).collect::<Option<_>>()?,
        })
    };
    Ok(lines.filter_map(epoch).collect())
}

fn heading(epoch: &Epoch) -> String {
    let own = epoch.figures.iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = COLUMNS.into_iter().chain(own).collect();
    format!("{}\n", names.join(","))
}

fn row(epoch: &Epoch) -> String {
    let Epoch { number, step, rate, loss, seconds, waited, figures } = epoch;
    let mut text = format!("{number},{step},{rate:.3e},{loss:.6},{seconds:.1},{waited:.1}");
    for (_, value) in figures {
        // Writing to a string cannot fail.
        let _ = write!(text, ",{value:.6}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn epoch(number: u64, loss: f64, accuracy: f64) -> Epoch {
        let figures = vec![("accuracy".to_owned(), accuracy)];
        Epoch { number, step: 10 * number, rate: 0.1, loss, seconds: 1.0, waited: 0.5, figures }
    }

    #[test]
    fn rows_past_the_checkpoint_are_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), "anet", 0).unwrap();
        log.add(epoch(1, 2.0, 0.5)).unwrap();
        log.add(epoch(2, 1.0, 0.6)).unwrap();
        let mut log = Log::open(folder.path(), "anet", 12).unwrap();
        log.add(epoch(2, 1.5, 0.7)).unwrap();
        let path = folder.path().join("anet.csv");
        let expected = "epoch,step,rate,loss,seconds,waited,accuracy\n\
                        1,10,1.000e-1,2.000000,1.0,0.5,0.500000\n\
                        2,20,1.000e-1,1.500000,1.0,0.5,0.700000\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(read(&path).unwrap(), [epoch(1, 2.0, 0.5), epoch(2, 1.5, 0.7)]);
        assert_eq!(log.epochs(), read(&path).unwrap());
        Log::open(folder.path(), "anet", 0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn logs_of_earlier_builds_and_half_a_row_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lnet_o.csv");
        std::fs::write(&path, "epoch,step,rate,loss,seconds\n1,10,1.000e-1,2.000000,1.0\n2,20,1.0").unwrap();
        let found = read(&path).unwrap();
        assert_eq!((found.len(), found[0].waited, found[0].figures.len()), (1, 0.0, 0));
        assert_eq!(read(&folder.path().join("none.csv")).unwrap(), []);
    }
}
