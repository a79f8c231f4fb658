//! The answer: faces with their attributes by name. The command line, the service and the Python package hand out these types.
//!
//! Serialized, numbers are rounded to what they mean: a tenth of a pixel, a hundredth of a percent. Scores have no scale
//! of their own and keep six decimals. An attribute is written as an object of `value` and `probability` under its name.

use std::ops::Index;
use std::path::PathBuf;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::attributes::Embedding;
use crate::geometry::{Point, Rect};
use crate::locate::Face;
use crate::locate::landmarks::{self, Pose};
use crate::path_text;

/// An image and its faces.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prediction {
    /// The path or name that it was given by, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub path: Option<PathBuf>,
    /// In pixels of the upright image.
    pub width: u32,
    /// In pixels of the upright image.
    pub height: u32,
    /// Best first.
    pub faces: Vec<FaceRecord>,
    /// Faces that were found beyond the limit of faces that was asked for, each weaker than all of `faces`. Always
    /// written: 0 says that nothing was cut.
    pub faces_left_out: usize,
    /// Faces that were left out because their quality is lower than was asked for; left out where any quality will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faces_of_low_quality: Option<usize>,
}

/// A face and its attributes.
///
/// ```
/// # use lineament::prediction::{Attribute, Attributes, FaceRecord};
/// # use lineament::Rect;
/// # let smiling = Attribute { name: "Smiling".into(), probability: 0.97, present: true, unknown: false };
/// # let face = lineament::Face::new(Rect::new(0.0, 0.0, 1.0, 1.0), 1.0);
/// # let face = FaceRecord { attributes: [smiling].into_iter().collect(), ..(&face).into() };
/// assert!(face["Smiling"].probability > 0.9);
/// assert!(face.get("Smilng").is_none());
/// for attribute in &face.attributes {
///     println!("{}: {:.2}", attribute.name, attribute.probability);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FaceRecord {
    /// Its box, in pixels of the upright image.
    #[serde(rename = "box", serialize_with = "bounding_box")]
    #[cfg_attr(feature = "openapi", schema(value_type = BoundingBox))]
    pub rect: Rect,
    /// How sure the localizer is of it.
    #[serde(serialize_with = "six_decimals")]
    #[cfg_attr(feature = "openapi", schema(value_type = f64))]
    pub score: f32,
    /// How far the head is turned clockwise in the image, in degrees between -180 and 180; 0 is upright. Left out where
    /// the localizer does not know it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "degrees")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = -180, maximum = 180))]
    pub roll: Option<f32>,
    /// Left out unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, [f64; 2]>>))]
    pub landmarks: Option<Landmarks>,
    /// Which way it looks, by its landmarks; left out with them, and where they span no face.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
    /// How far its attributes can be trusted, from 0 to 1: the share of them that is expected to be right, as people's tags have it. Left out
    /// unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "four_decimals_of")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = 0, maximum = 1))]
    pub quality: Option<f32>,
    /// The selected attributes by name; left out where only boxes were asked for.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, Attribute>, required = false))]
    pub attributes: Attributes,
    /// The vector that the attributes are read from, where [`Selection::embeddings`](crate::Selection::embeddings) asked for it. It is not
    /// serialized: it belongs in an array, not in text.
    #[serde(skip)]
    pub embedding: Option<Embedding>,
}

/// One attribute of one face.
///
/// `present` and `probability` say different things. `present` is the score against the threshold of the operating point,
/// chosen for the most right answers; `probability` is calibrated to be true on average ("of the faces given 0.7, seven
/// in ten have it") and is the same at every operating point. The threshold need not lie where the probability is 0.5,
/// so that an attribute may be absent at 0.52. Callers with a rule of their own compare the probability, or set
/// [`Selection::threshold`](crate::Selection::threshold).
///
/// With [`Selection::abstain`](crate::Selection::abstain) an answer that is too likely to be wrong is not given: the attribute is `unknown`, and
/// its value is serialized as null.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// Its name in the model's card.
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub name: Arc<str>,
    /// Whether the score exceeds the threshold; never where the answer is unknown.
    #[cfg_attr(feature = "openapi", schema(rename = "value", value_type = Option<bool>))]
    pub present: bool,
    /// Whether there is no answer, since it would be too likely to be wrong.
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub unknown: bool,
    /// How likely the label is, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = 0, maximum = 1))]
    pub probability: f32,
}

/// Eyes, nose and corners of the mouth, left before right as seen once the head is turned upright, in pixels of the image. Serialized as an object of `[x, y]`,
/// rounded to a tenth, under the names of [`landmarks::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks(pub [Point; 5]);

/// The attributes of a face, in the order that was asked for; found by name, and serialized as an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<Attribute>);

/// A rectangle as it is serialized: in pixels of the upright image, rounded to a tenth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoundingBox {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// To the right edge.
    pub width: f64,
    /// To the lower edge.
    pub height: f64,
}

impl Prediction {
    /// Of an image of `width` by `height` pixels, without the faces whose quality is lower than `least_quality`.
    pub fn new(
        [width, height]: [u32; 2],
        mut faces: Vec<FaceRecord>,
        faces_left_out: usize,
        least_quality: Option<f32>,
    ) -> Self {
        let found = faces.len();
        if let Some(least) = least_quality {
            faces.retain(|face| face.quality.is_some_and(|quality| quality >= least));
        }
        let faces_of_low_quality = least_quality.map(|_| found - faces.len());
        Self { path: None, width, height, faces, faces_left_out, faces_of_low_quality }
    }
}

impl FaceRecord {
    /// The attribute of this name; `None` where it was not selected or the model does not know it.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// The attributes that are present, in the order of [`FaceRecord::attributes`].
    pub fn present(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.present)
    }
}

impl From<&Face> for FaceRecord {
    /// A face without attributes.
    fn from(face: &Face) -> Self {
        let Face { rect, score, roll, .. } = *face;
        let (attributes, embedding) = (Attributes::default(), None);
        Self { rect, score, roll, landmarks: None, pose: None, quality: None, attributes, embedding }
    }
}

impl From<&FaceRecord> for Face {
    /// The face that was located, without what a record does not keep.
    fn from(face: &FaceRecord) -> Self {
        Self { roll: face.roll, ..Self::new(face.rect, face.score) }
    }
}

impl Attribute {
    /// Whether the face has it; `None` where the answer is unknown.
    pub fn value(&self) -> Option<bool> {
        (!self.unknown).then_some(self.present)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_struct("Attribute", 2)?;
        written.serialize_field("value", &self.value())?;
        written.serialize_field("probability", &rounded(self.probability, 4))?;
        written.end()
    }
}

impl Index<&str> for FaceRecord {
    type Output = Attribute;

    /// The attribute of this name, as [`Attributes::index`].
    fn index(&self, name: &str) -> &Attribute {
        &self.attributes[name]
    }
}

impl Attributes {
    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|attribute| &*attribute.name == name)
    }

    /// In the order that was asked for.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Index<&str> for Attributes {
    type Output = Attribute;

    /// The attribute of this name.
    ///
    /// # Panics
    /// Where there is none, as maps do: [`Attributes::get`] answers for names that are not known to be there.
    #[expect(clippy::panic, reason = "an index panics where nothing is")]
    fn index(&self, name: &str) -> &Attribute {
        self.get(name).unwrap_or_else(|| panic!("no attribute of the name {name:?} was selected"))
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl IntoIterator for Attributes {
    type Item = Attribute;
    type IntoIter = std::vec::IntoIter<Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for attribute in &self.0 {
            map.serialize_entry(&*attribute.name, attribute)?;
        }
        map.end()
    }
}

impl Landmarks {
    /// Name, x and y of each, in pixels of the upright image rounded to a tenth.
    pub fn named(&self) -> [(&'static str, [f64; 2]); 5] {
        let points = self.0.map(|point| [rounded(point.x, 1), rounded(point.y, 1)]);
        std::array::from_fn(|index| (landmarks::NAMES[index], points[index]))
    }
}

impl Serialize for Landmarks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.named())
    }
}

impl From<Rect> for BoundingBox {
    fn from(rect: Rect) -> Self {
        let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(|side| rounded(side, 1));
        Self { x, y, width, height }
    }
}

/// So many decimals.
fn rounded(value: f32, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (f64::from(value) * scale).round() / scale
}

pub(crate) fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

pub(crate) fn bounding_box<S: Serializer>(rect: &Rect, serializer: S) -> Result<S::Ok, S::Error> {
    BoundingBox::from(*rect).serialize(serializer)
}

pub(crate) fn four_decimals<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value, 4))
}

/// Of a number that may be left out.
fn four_decimals_of<S: Serializer>(value: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| rounded(value, 4)).serialize(serializer)
}

fn six_decimals<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value, 6))
}

pub(crate) fn one_decimal<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value, 1))
}

/// A tenth of a degree.
fn degrees<S: Serializer>(roll: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    roll.map(|roll| rounded(roll, 1)).serialize(serializer)
}

/// Paths that are not Unicode lead back to their files, too.
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(path_text::to_text).serialize(serializer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn attribute(name: &str, present: bool, probability: f32) -> Attribute {
        Attribute { name: name.into(), present, unknown: false, probability }
    }

    fn face() -> FaceRecord {
        FaceRecord {
            rect: Rect::new(171.04, -3.27, 108.92, 131.0),
            score: 0.981_234_5,
            roll: None,
            landmarks: None,
            pose: None,
            quality: None,
            attributes: [attribute("Smiling", true, 0.974_361), attribute("Bald", false, 0.000_012)]
                .into_iter()
                .collect(),
            embedding: None,
        }
    }

    #[test]
    fn numbers_are_rounded_and_attributes_keep_their_order() {
        let prediction = Prediction {
            path: None,
            width: 512,
            height: 480,
            faces: vec![face()],
            faces_left_out: 2,
            faces_of_low_quality: None,
        };
        assert_eq!(
            serde_json::to_string(&prediction).unwrap(),
            r#"{"width":512,"height":480,"faces":[{"box":{"x":171.0,"y":-3.3,"width":108.9,"height":131.0},"score":0.981234,"#
                .to_owned()
                + r#""attributes":{"Smiling":{"value":true,"probability":0.9744},"Bald":{"value":false,"probability":0.0}}}],"faces_left_out":2}"#
        );
        let named =
            Prediction { path: Some("a/b.jpg".into()), faces: Vec::new(), faces_left_out: 0, ..prediction };
        let written = serde_json::to_string(&named).unwrap();
        assert_eq!(written, r#"{"path":"a/b.jpg","width":512,"height":480,"faces":[],"faces_left_out":0}"#);
    }

    #[test]
    fn a_face_without_attributes_has_no_such_field() {
        let face = FaceRecord { attributes: Attributes::default(), ..face() };
        assert!(!serde_json::to_string(&face).unwrap().contains("attributes"));
    }

    #[test]
    fn the_roll_of_a_face_is_written_where_it_is_known() {
        let face = FaceRecord { roll: Some(-12.345), attributes: Attributes::default(), ..face() };
        let written = serde_json::to_string(&face).unwrap();
        assert!(written.ends_with(r#""score":0.981234,"roll":-12.3}"#), "{written}");
    }

    #[test]
    fn landmarks_are_written_by_name_and_the_pose_beside_them() {
        let at = |x, y| Point::new(x, y);
        let landmarks = Landmarks([at(1.04, 2.0), at(3.0, 2.06), at(2.0, 3.0), at(1.5, 4.0), at(2.5, -4.25)]);
        let pose = Some(Pose { yaw: -12.34, pitch: 5.0, roll: 0.04 });
        let face =
            FaceRecord { landmarks: Some(landmarks), pose, attributes: Attributes::default(), ..face() };
        let written = serde_json::to_string(&face).unwrap();
        let expected = r#""landmarks":{"left_eye":[1.0,2.0],"right_eye":[3.0,2.1],"nose":[2.0,3.0],"left_mouth":[1.5,4.0],"right_mouth":[2.5,-4.3]},"pose":{"yaw":-12.3,"pitch":5.0,"roll":0.0}}"#;
        assert!(written.ends_with(expected), "{written}");
    }

    #[test]
    fn attributes_are_found_by_name() {
        let face = face();
        assert_eq!(face["Smiling"].probability, 0.974_361);
        assert_eq!(face.attributes["Bald"], attribute("Bald", false, 0.000_012));
        assert_eq!(face.get("Smilng"), None);
        assert_eq!(face.present().map(|attribute| &*attribute.name).collect::<Vec<_>>(), ["Smiling"]);
        assert_eq!((face.attributes.len(), face.attributes.is_empty()), (2, false));
    }

    #[test]
    #[should_panic(expected = "no attribute of the name \"Smilng\"")]
    fn an_index_panics_where_nothing_is() {
        let _ = &face()["Smilng"];
    }
}
