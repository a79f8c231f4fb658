//! Answers as JSON: the one form that the command line, the service and other programs write.
//!
//! Numbers are rounded to what they mean: a tenth of a pixel, a hundredth of a per cent. Scores have no scale of their own and keep
//! more.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::attributes;
use crate::explain::{self, MapSource, NeuronShare};
use crate::geometry::Rect;

/// One picture and its faces.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Picture {
    /// The path or name that it was given by, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// In pixels of the upright picture.
    pub width: u32,
    /// In pixels of the upright picture.
    pub height: u32,
    /// Best first.
    pub faces: Vec<Face>,
}

/// One face.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Face {
    /// Where it is.
    pub r#box: Box,
    /// How sure the localiser is of it.
    pub score: f64,
    /// What was read in it, by the name of the attribute; left out where only boxes are told.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, Attribute>, required = false))]
    pub attributes: Attributes,
}

/// A rectangle in pixels of the picture as a person sees it (EXIF orientation applied).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Box {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// To the right edge.
    pub width: f64,
    /// To the lower edge.
    pub height: f64,
}

/// What was read of one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// Whether the score exceeds the threshold.
    pub value: bool,
    /// How likely the label is, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub probability: f64,
}

/// What the answer about one attribute of a face rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The attribute.
    pub name: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: Attribute,
    /// The raw score that the answer is read from.
    pub score: f32,
    /// The place that speaks most for the attribute.
    pub region: Box,
    /// How the place was found.
    pub region_from: MapSource,
    /// The FC neurons that said most.
    #[serde(flatten)]
    pub neurons: NeuronShare,
}

/// Attributes by name, in an order of their own: written as an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Attribute)>);

impl Attributes {
    /// Whether none is told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Readings with their names, side by side.
    pub fn of<'a>(
        names: impl IntoIterator<Item = &'a str>,
        readings: impl IntoIterator<Item = &'a attributes::Attribute>,
    ) -> Self {
        let named = |(name, reading): (&str, &attributes::Attribute)| (name.to_owned(), (*reading).into());
        Self(names.into_iter().zip(readings).map(named).collect())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, attribute) in &self.0 {
            map.serialize_entry(name, attribute)?;
        }
        map.end()
    }
}

impl Face {
    /// A face with its numbers rounded.
    pub fn new(rect: Rect, score: f32, attributes: Attributes) -> Self {
        Self { r#box: rect.into(), score: rounded(score, 6), attributes }
    }
}

impl Explanation {
    /// What was told of the attribute of this name.
    pub fn of(name: &str, told: &explain::Explanation) -> Self {
        Self {
            name: name.to_owned(),
            answer: told.attribute.into(),
            score: told.score,
            region: told.region.into(),
            region_from: told.source,
            neurons: told.neurons.clone(),
        }
    }
}

impl From<Rect> for Box {
    fn from(rect: Rect) -> Self {
        let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(|side| rounded(side, 1));
        Self { x, y, width, height }
    }
}

impl From<attributes::Attribute> for Attribute {
    fn from(reading: attributes::Attribute) -> Self {
        Self { value: reading.value, probability: rounded(reading.probability, 4) }
    }
}

/// So many decimals.
fn rounded(value: f32, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (f64::from(value) * scale).round() / scale
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_attributes_keep_their_order() {
        let reading = |index, probability| attributes::Attribute { index, probability, value: index == 0 };
        let attributes = Attributes::of(["Smiling", "Bald"], &[reading(0, 0.974_361), reading(1, 0.000_012)]);
        let face = Face::new(Rect::new(171.04, -3.27, 108.92, 131.0), 0.981_234_5, attributes);
        let picture = Picture { path: None, width: 512, height: 480, faces: vec![face] };
        assert_eq!(
            serde_json::to_string(&picture).unwrap(),
            r#"{"width":512,"height":480,"faces":[{"box":{"x":171.0,"y":-3.3,"width":108.9,"height":131.0},"score":0.981234,"#
                .to_owned()
                + r#""attributes":{"Smiling":{"value":true,"probability":0.9744},"Bald":{"value":false,"probability":0.0}}}]}"#
        );
    }

    #[test]
    fn a_face_without_attributes_has_no_such_field() {
        let face = Face::new(Rect::new(0.0, 0.0, 1.0, 1.0), 1.0, Attributes::default());
        assert!(!serde_json::to_string(&face).unwrap().contains("attributes"));
    }
}
