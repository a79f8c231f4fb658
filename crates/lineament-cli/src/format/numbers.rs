//! Numbers of a face as columns of tables, behind the attributes: those that were asked for.

use lineament::{FaceRecord, Tagger};

/// How far the attributes can be trusted, from 0 to 1.
pub const QUALITY: &str = "quality";

/// How many faces of the image were left out by `--least-quality`: there where that was given.
pub const LOW_QUALITY: &str = "faces_of_low_quality";

/// Two columns a landmark, in pixels of the upright image, and which way the face looks, in degrees.
pub const LANDMARKS: [&str; 12] = [
    "left_eye_x",
    "left_eye_y",
    "right_eye_x",
    "right_eye_y",
    "nose_x",
    "nose_y",
    "left_mouth_x",
    "left_mouth_y",
    "right_mouth_x",
    "right_mouth_y",
    "yaw",
    "pitch",
];

/// Which numbers faces come with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Their quality.
    pub quality: bool,
    /// Their landmarks and pose.
    pub landmarks: bool,
}

impl Numbers {
    /// Those that a tagger answers.
    pub fn of(tagger: &Tagger) -> Self {
        Self { quality: tagger.answers_quality(), landmarks: tagger.answers_landmarks() }
    }

    /// The names of their columns.
    pub fn columns(self) -> impl Iterator<Item = &'static str> {
        let landmarks = LANDMARKS.into_iter().filter(move |_| self.landmarks);
        self.quality.then_some(QUALITY).into_iter().chain(landmarks)
    }

    /// What a face has in each, where it has something.
    pub fn values(self, face: &FaceRecord) -> impl Iterator<Item = Option<f32>> {
        let landmarks = landmarks(face).into_iter().filter(move |_| self.landmarks);
        self.quality.then_some(face.quality).into_iter().chain(landmarks)
    }

    /// The same as text: a tenth of a pixel or degree, a hundredth of a percent.
    pub fn texts(self, face: &FaceRecord) -> impl Iterator<Item = String> {
        let text = |(column, value): (&str, Option<f32>)| {
            let decimals = if column == QUALITY { 4 } else { 1 };
            value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
        };
        self.columns().zip(self.values(face)).map(text)
    }
}

fn landmarks(face: &FaceRecord) -> [Option<f32>; 12] {
    let points = face.landmarks.map(|landmarks| landmarks.0.map(|point| [point.x, point.y]));
    let coordinates = points.as_ref().map(|points| points.as_flattened());
    std::array::from_fn(|column| match column {
        10 => face.pose.map(|pose| pose.yaw),
        11 => face.pose.map(|pose| pose.pitch),
        _ => coordinates.and_then(|coordinates| coordinates.get(column)).copied(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament::prediction::Landmarks;
    use lineament::{Face, Point, Rect};

    #[test]
    fn columns_are_named_as_in_json_and_in_its_order() {
        let names = lineament::locate::landmarks::NAMES;
        let expected: Vec<String> =
            names.iter().flat_map(|name| [format!("{name}_x"), format!("{name}_y")]).collect();
        assert_eq!(LANDMARKS[..10], expected);
        let named = Landmarks([Point::default(); 5]).named();
        assert_eq!(named.map(|(name, _)| name), names);
    }

    #[test]
    fn a_face_has_a_value_in_each_column_that_was_asked_for() {
        let bare = FaceRecord::from(&Face::new(Rect::new(0.0, 0.0, 9.0, 9.0), 1.0));
        let landmarks = Some(Landmarks([Point::new(1.25, -2.0); 5]));
        let face = FaceRecord { quality: Some(0.912_34), landmarks, ..bare };
        let asked = |quality, landmarks| {
            let numbers = Numbers { quality, landmarks };
            let texts: Vec<String> = numbers.texts(&face).collect();
            assert_eq!(texts.len(), numbers.columns().count());
            texts
        };
        assert_eq!(asked(true, false), ["0.9123"]);
        assert_eq!(asked(false, true)[..2], ["1.2", "-2.0"]);
        assert_eq!(asked(true, true).len(), 13);
        assert_eq!(asked(true, true)[11..], ["", ""], "no pose");
        assert!(asked(false, false).is_empty());
    }
}
