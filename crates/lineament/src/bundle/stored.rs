//! The card as it is written: the first format with the fields of LNets and ANet side by side, the second with any locator and describer.

use super::card::{Card, CardError};
use crate::attributes::{AnetPatches, AttributeCard, Describer, Patches, Region};
use crate::input::Preprocess;
use crate::locate::{Lnets, Localisation, Locator};
use lineament_net::NetSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A card of either format.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Stored {
    Cascade(Box<Cascade>),
    Open(Box<Open>),
}

/// Format 1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cascade {
    format: u32,
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    lnet_o: NetSpec,
    lnet_s: NetSpec,
    anet: NetSpec,
    localisation: Localisation,
    preprocess: Preprocess,
    region: Region,
    patches: Patches,
    attributes: Vec<AttributeCard>,
    trained_on: Vec<String>,
    scores: BTreeMap<String, f64>,
    licence: String,
    note: String,
}

/// Format 2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    format: u32,
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    locator: Locator,
    describer: Describer,
    preprocess: Preprocess,
    attributes: Vec<AttributeCard>,
    trained_on: Vec<String>,
    scores: BTreeMap<String, f64>,
    licence: String,
    note: String,
}

impl Stored {
    /// Reads the JSON of a card whose format is known.
    pub(super) fn read(format: u32, json: &str) -> Result<Self, CardError> {
        Ok(match format {
            Card::CASCADE => Self::Cascade(serde_json::from_str(json)?),
            _ => Self::Open(serde_json::from_str(json)?),
        })
    }

    pub(super) fn into_card(self) -> Card {
        match self {
            Self::Cascade(card) => {
                let Cascade { format, name, version, created, lnet_o, lnet_s, anet, localisation, .. } =
                    *card;
                Card {
                    format,
                    name,
                    version,
                    created,
                    locator: Locator::Lnets(Lnets { lnet_o, lnet_s, localisation }),
                    describer: Describer::Anet(AnetPatches {
                        anet,
                        region: card.region,
                        patches: card.patches,
                    }),
                    preprocess: card.preprocess,
                    attributes: card.attributes,
                    trained_on: card.trained_on,
                    scores: card.scores,
                    licence: card.licence,
                    note: card.note,
                }
            }
            Self::Open(card) => Card {
                format: card.format,
                name: card.name,
                version: card.version,
                created: card.created,
                locator: card.locator,
                describer: card.describer,
                preprocess: card.preprocess,
                attributes: card.attributes,
                trained_on: card.trained_on,
                scores: card.scores,
                licence: card.licence,
                note: card.note,
            },
        }
    }
}

impl From<Card> for Stored {
    fn from(card: Card) -> Self {
        let Card { format, name, version, created, locator, describer, preprocess, attributes, .. } = card;
        let (trained_on, scores, licence, note) = (card.trained_on, card.scores, card.licence, card.note);
        match (format, locator, describer) {
            (
                Card::CASCADE,
                Locator::Lnets(Lnets { lnet_o, lnet_s, localisation }),
                Describer::Anet(AnetPatches { anet, region, patches }),
            ) => Self::Cascade(Box::new(Cascade {
                format,
                name,
                version,
                created,
                lnet_o,
                lnet_s,
                anet,
                localisation,
                preprocess,
                region,
                patches,
                attributes,
                trained_on,
                scores,
                licence,
                note,
            })),
            (_, locator, describer) => Self::Open(Box::new(Open {
                format,
                name,
                version,
                created,
                locator,
                describer,
                preprocess,
                attributes,
                trained_on,
                scores,
                licence,
                note,
            })),
        }
    }
}
