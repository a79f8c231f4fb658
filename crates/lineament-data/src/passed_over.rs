//! What a walk over a folder leaves out, counted: whoever compares a folder with its answers finds every file in the sum.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::endings::Endings;

/// Files that walks did not take for photos. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct PassedOver(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    endings: Endings,
    hidden: u64,
    results: u64,
    special: u64,
}

impl PassedOver {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Numbers are sound whatever happened to who counted.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file whose name is not that of an image.
    pub(crate) fn other(&self, path: &Path) {
        self.counts().endings.add(Some(path));
    }

    /// A file or folder whose name begins with a dot.
    pub(crate) fn hidden(&self) {
        self.counts().hidden += 1;
    }

    /// An image that the program made of a photo.
    pub(crate) fn result(&self) {
        self.counts().results += 1;
    }

    /// What is neither file nor folder: a pipe, a socket, a device.
    pub(crate) fn special(&self) {
        self.counts().special += 1;
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        let counts = self.counts();
        counts.endings.total() + counts.hidden + counts.results + counts.special
    }
}

/// `12 passed over: 9 no pictures by their names (8 .xmp, 1 .txt), 3 hidden`.
impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let counts = self.counts();
        write!(f, "{total} passed over")?;
        let names = format!("no pictures by their names ({})", counts.endings);
        let mut before = ":";
        for (count, what) in [
            (counts.endings.total(), names.as_str()),
            (counts.hidden, "hidden"),
            (counts.results, "made by Lineament"),
            (counts.special, "neither files nor folders"),
        ] {
            if count > 0 {
                write!(f, "{before} {count} {what}")?;
                before = ",";
            }
        }
        Ok(())
    }
}
