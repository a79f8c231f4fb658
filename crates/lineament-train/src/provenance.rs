//! What a bundle's card says of where its weights come from.

use lineament_data::{Dataset, Split};

/// The terms of weights that were trained on research data; edit the card of a training on your own data.
pub const LICENCE: &str =
    "For non-commercial research only: the weights were learned from pictures that are released for that.";

/// What begins a line that speaks of the LNets alone, where attributes come from another training.
pub const LNETS: &str = "LNets: ";

/// A line a data set: its name and how many images of each part were there.
pub fn trained_on(sets: &[Dataset]) -> Vec<String> {
    let line = |set: &Dataset| {
        let count = |split| set.split(split).len();
        format!(
            "{}: {} pictures to train on, {} to choose on",
            set.name,
            count(Split::Train),
            count(Split::Validation)
        )
    };
    sets.iter().map(line).collect()
}
