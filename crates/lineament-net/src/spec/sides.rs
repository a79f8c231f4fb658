//! Padding in a recipe: a number where all sides are alike, else two.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// As a number where both are the same: what bundles and recipes have always held.
pub(super) fn serialize<S: Serializer>(sides: &[usize; 2], serializer: S) -> Result<S::Ok, S::Error> {
    match sides {
        [start, end] if start == end => start.serialize(serializer),
        _ => sides.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[usize; 2], D::Error> {
    // Both kinds are told apart by what is there, so that errors keep their own words.
    deserializer.deserialize_any(Sides)
}

struct Sides;

impl<'de> Visitor<'de> for Sides {
    type Value = [usize; 2];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of zeros for every side, or two: [above and left, below and right]")
    }

    fn visit_u64<E: Error>(self, side: u64) -> Result<[usize; 2], E> {
        let side = usize::try_from(side).map_err(|_| E::custom("padding is beyond any map"))?;
        Ok([side; 2])
    }

    fn visit_i64<E: Error>(self, side: i64) -> Result<[usize; 2], E> {
        let side = u64::try_from(side)
            .map_err(|_| E::custom(format!("padding is {side} and cannot be negative")))?;
        self.visit_u64(side)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<[usize; 2], A::Error> {
        <[usize; 2]>::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))
    }
}
