//! A node of a graph while it is checked: its attributes by name, and how errors call it.

use crate::error::OnnxError;
use crate::proto::{Attribute, RawNode};
use crate::value::Value;

impl RawNode {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(crate) fn int(&self, name: &str, usual: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.int).unwrap_or(usual)
    }

    pub(crate) fn float(&self, name: &str, usual: f32) -> f32 {
        self.attribute(name).and_then(|attribute| attribute.float).unwrap_or(usual)
    }

    pub(crate) fn text<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.attribute(name).and_then(|attribute| attribute.text.as_deref()).unwrap_or(usual)
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&Value> {
        self.attribute(name)?.tensor.as_ref()
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|attribute| attribute.floats.clone())
    }

    /// So many sizes between `least` and what a photo may measure; all `usual` where the attribute is left out.
    pub(crate) fn sizes<const N: usize>(
        &self,
        name: &str,
        usual: usize,
        least: usize,
    ) -> Result<[usize; N], OnnxError> {
        let Some(given) = self.ints(name) else { return Ok([usual; N]) };
        let sizes: Option<Vec<usize>> = given
            .iter()
            .map(|size| usize::try_from(*size).ok().filter(|size| (least..=MOST_SIZE).contains(size)))
            .collect();
        sizes.and_then(|sizes| sizes.try_into().ok()).ok_or_else(|| {
            OnnxError::unsupported(format!(
                "{} has {name} {given:?}, not {N} between {least} and {MOST_SIZE}",
                self.label()
            ))
        })
    }

    /// Its name, or that of its first output where it has none.
    pub(crate) fn label(&self) -> &str {
        if self.name.is_empty() {
            self.outputs.first().map_or("without a name", String::as_str)
        } else {
            &self.name
        }
    }
}

/// Largest stride, padding and kernel.
const MOST_SIZE: usize = 1024;
