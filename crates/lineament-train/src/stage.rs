//! The stages of a training, in the order in which they need each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::recipe::Recipe;

/// One list makes the enum, the order and the names, so that none can be forgotten in another.
macro_rules! stages {
    ($($(#[$doc:meta])* $stage:ident = $name:literal,)*) => {
        /// A stage of a training. Stages are ordered as they need each other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Stage {
            $($(#[$doc])* #[serde(rename = $name)] $stage,)*
        }

        impl Stage {
            /// All stages, in their order.
            pub const ALL: &[Self] = &[$(Self::$stage),*];

            /// What `--stage`, logs and files call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$stage => $name,)*
                }
            }
        }
    };
}

stages! {
    /// Pre-training of the LNets on object classes.
    Objects = "objects",
    /// LNet_o, from tags.
    LnetO = "lnet_o",
    /// LNet_s, from tags, and the choice of the localizer's constants.
    LnetS = "lnet_s",
    /// Pre-training of ANet on identities.
    Identities = "identities",
    /// A narrower ANet, which the next stage widens.
    Narrow = "narrow",
    /// ANet, from attribute tags.
    Anet = "anet",
    /// SVMs, calibration, thresholds, and the bundle.
    Svms = "svms",
}

impl Stage {
    /// The stages of a fine-tuning: its LNets are those of the bundle that it begins from.
    pub const FINE_TUNING: &[Self] = &[Self::Anet, Self::Svms];

    /// The stages that train ANet and its attributes.
    pub const ATTRIBUTES: &[Self] = &[Self::Identities, Self::Narrow, Self::Anet, Self::Svms];

    /// The stages that train the LNets.
    pub const LOCALIZATION: &[Self] = &[Self::Objects, Self::LnetO, Self::LnetS];

    /// The names of stages, as messages list them.
    pub fn names(stages: &[Self]) -> String {
        stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")
    }

    /// Whether it trains the LNets, whose place a detector can take.
    pub fn localizes(self) -> bool {
        Self::LOCALIZATION.contains(&self)
    }

    /// Whether a recipe has it.
    pub fn is_in(self, recipe: &Recipe) -> bool {
        match self {
            Self::Objects => recipe.objects.is_some(),
            Self::Identities => recipe.identities.is_some(),
            Self::Narrow => recipe.anet.narrow.is_some() && recipe.anet.weights.is_none(),
            Self::LnetO | Self::LnetS | Self::Anet | Self::Svms => true,
        }
    }

    /// The names of its checkpoints and logs: a stage that trains two nets one after the other has two, one with rounds has one a round.
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Objects => &["objects", SECOND_OBJECTS],
            Self::LnetO => &["lnet_o_1", "lnet_o_2", "lnet_o_3", "lnet_o"],
            Self::LnetS => &["lnet_s_1", "lnet_s_2", "lnet_s_3", "lnet_s"],
            Self::Identities => &["identities"],
            Self::Narrow => &["narrow"],
            Self::Anet => &["anet"],
            Self::Svms => &[],
        }
    }

    /// The parts of a stage of so many rounds; the last one has the name of the stage.
    pub fn rounds(self, rounds: usize) -> impl Iterator<Item = &'static str> {
        let earlier = self.parts().iter().copied().filter(move |part| *part != self.name());
        earlier.take(rounds.saturating_sub(1)).chain([self.name()])
    }
}

/// LNet_s's part of stage `objects`, where it has a structure of its own.
pub const SECOND_OBJECTS: &str = "objects_s";

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Stage {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let found = Self::ALL.iter().find(|stage| stage.name() == name);
        found.copied().ok_or_else(|| TrainError::NoStage(name.to_owned(), Self::names(Self::ALL)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_stages_and_stages_are_in_order() {
        assert!(Stage::ALL.is_sorted() && Stage::FINE_TUNING.is_sorted());
        assert_eq!([Stage::LOCALIZATION, Stage::ATTRIBUTES].concat(), Stage::ALL);
        for stage in Stage::ALL {
            assert_eq!(stage.name().parse::<Stage>().unwrap(), *stage);
            let own = stage.parts().contains(&stage.name());
            assert!(own || *stage == Stage::Svms, "{stage} has a checkpoint of its own name");
        }
    }

    #[test]
    fn the_last_round_has_the_name_of_its_stage() {
        let rounds = |count| Stage::LnetS.rounds(count).collect::<Vec<_>>();
        assert_eq!((rounds(1), rounds(2)), (vec!["lnet_s"], vec!["lnet_s_1", "lnet_s"]));
        assert_eq!(rounds(crate::recipe::MOST_ROUNDS), Stage::LnetS.parts());
    }

    #[test]
    fn unknown_stages_are_told_which_there_are() {
        let unknown = "anets".parse::<Stage>().unwrap_err().to_string();
        assert!(unknown.contains("objects, lnet_o, lnet_s, identities, narrow, anet, svms"), "{unknown}");
    }
}
