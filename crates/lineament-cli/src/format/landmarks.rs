//! Landmarks and pose as columns of tables, behind the attributes: there with `--landmarks` alone.

use lineament::FaceRecord;

/// Two columns a landmark, in pixels of the upright image, and which way the face looks, in degrees.
pub const COLUMNS: [&str; 12] = [
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

/// What a face has in each.
pub fn values(face: &FaceRecord) -> [Option<f32>; 12] {
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

    #[test]
    fn columns_are_named_as_in_json_and_in_its_order() {
        let names = lineament::locate::landmarks::NAMES;
        let expected: Vec<String> =
            names.iter().flat_map(|name| [format!("{name}_x"), format!("{name}_y")]).collect();
        assert_eq!(COLUMNS[..10], expected);
        let named = Landmarks([lineament::Point::default(); 5]).named();
        assert_eq!(named.map(|(name, _)| name), names);
    }
}
