//! Tables whose `kind` says what else they hold.
//!
//! serde's own tagged enums read a table before they know what it is, and then name no field that is wrong in it.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};

/// A table without its `kind`.
pub struct Tagged {
    kind: String,
    rest: toml::Table,
}

impl Tagged {
    /// Reads the table.
    ///
    /// # Errors
    /// When it is none, or has no `kind`.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rest = toml::Table::deserialize(deserializer)?;
        match rest.remove("kind") {
            Some(toml::Value::String(kind)) => Ok(Self { kind, rest }),
            _ => Err(D::Error::custom("`kind` is missing, or no text")),
        }
    }

    /// What the table is.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The rest of the table.
    ///
    /// # Errors
    /// With the field that is wrong.
    pub fn rest<T: DeserializeOwned, E: Error>(self) -> Result<T, E> {
        // Of the error's lines the first says what is wrong, the second where.
        let reported = |e: toml::de::Error| E::custom(e.to_string().trim().replace('\n', " "));
        toml::Value::Table(self.rest).try_into().map_err(reported)
    }

    /// An error for a kind that is none of `kinds`.
    pub fn unknown<E: Error>(&self, kinds: &str) -> E {
        E::custom(format!("`kind` is {:?}; it must be one of {kinds}", self.kind))
    }
}
