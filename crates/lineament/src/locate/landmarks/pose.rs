//! Which way a face looks, from its five landmarks and a mean face in three dimensions.

use serde::Serialize;

use crate::geometry::Point;
use crate::prediction::one_decimal;

/// The mean face in millimetres, from the middle of the eyes: right in the image, down, and away from the camera, in the order of
/// [`super::NAMES`].
///
/// Its proportions were fitted to the landmarks of CelebA's 17,246 training images (with five or more pixels between the eyes and the
/// mouth): under weak perspective, shape and cameras in turns by least squares, as in factorization (Tomasi and Kanade, 1992), with left
/// and right alike. What such a fit leaves open, which pitch is level, is that of an anthropometric face; its scale is a usual distance
/// of the pupils.
const FACE: [[f64; 3]; 5] =
    [[-31.5, 0.0, 0.0], [31.5, 0.0, 0.0], [0.0, 33.6, -30.1], [-27.3, 63.7, 3.2], [27.3, 63.7, 3.2]];

/// Which way a face looks, in degrees. The head is first tilted by `pitch`, then turned by `yaw`, then by `roll` in the plane of the
/// image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pose {
    /// To the right in the image (the person's left); negative to the left. Between -90 and 90.
    #[serde(serialize_with = "one_decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = -90, maximum = 90))]
    pub yaw: f32,
    /// Upwards; negative downwards.
    #[serde(serialize_with = "one_decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = -180, maximum = 180))]
    pub pitch: f32,
    /// Clockwise in the image, between -180 and 180.
    #[serde(serialize_with = "one_decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = -180, maximum = 180))]
    pub roll: f32,
}

impl Pose {
    /// The pose under weak perspective: the camera that takes the mean face to the landmarks by least squares, and the rotation next to
    /// it. `None` where the landmarks span no face.
    pub fn of(landmarks: &[Point; 5]) -> Option<Self> {
        let image = landmarks.map(|point| [f64::from(point.x), f64::from(point.y)]);
        let (image, face) = (centred(image), centred(FACE));
        let rows = [camera_row(&face, image.map(|[x, _]| x)), camera_row(&face, image.map(|[_, y]| y))];
        let [first, second] = orthonormal(rows)?;
        let third = cross(first, second);
        // Of the rotation `Rz(roll) Ry(yaw) Rx(pitch)`; angles about axes that point right, down and away.
        let yaw = third[0].clamp(-1.0, 1.0).asin();
        let pitch = -third[1].atan2(third[2]);
        let roll = second[0].atan2(first[0]);
        let [yaw, pitch, roll] = [yaw, pitch, roll].map(|angle| angle.to_degrees() as f32);
        (yaw.is_finite() && pitch.is_finite() && roll.is_finite()).then_some(Self { yaw, pitch, roll })
    }
}

fn centred<const N: usize>(points: [[f64; N]; 5]) -> [[f64; N]; 5] {
    let mean: [f64; N] =
        std::array::from_fn(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / 5.0);
    points.map(|point| std::array::from_fn(|axis| point[axis] - mean[axis]))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The row of a camera that takes points of the face to one coordinate of their images, by least squares. Left and right of the face
/// are alike, so that its first axis goes by itself.
fn camera_row(face: &[[f64; 3]; 5], seen: [f64; 5]) -> [f64; 3] {
    let sum = |of: &dyn Fn([f64; 3], f64) -> f64| {
        face.iter().zip(seen).map(|(point, at)| of(*point, at)).sum::<f64>()
    };
    let across = sum(&|[x, ..], at| x * at) / sum(&|[x, ..], _| x * x);
    let (yy, yz, zz) = (sum(&|[_, y, _], _| y * y), sum(&|[_, y, z], _| y * z), sum(&|[_, _, z], _| z * z));
    let (y, z) = (sum(&|[_, y, _], at| y * at), sum(&|[_, _, z], at| z * at));
    let determinant = yy * zz - yz * yz;
    [across, (zz * y - yz * z) / determinant, (yy * z - yz * y) / determinant]
}

/// The two orthogonal rows of length one next to these: `(A Aᵀ)^(-1/2) A`.
fn orthonormal([a, b]: [[f64; 3]; 2]) -> Option<[[f64; 3]; 2]> {
    let (aa, ab, bb) = (dot(a, a), dot(a, b), dot(b, b));
    let root = (aa * bb - ab * ab).max(0.0).sqrt();
    // The square root of a matrix of two rows, by Cayley and Hamilton; its determinant is `root`.
    let length = (aa + bb + 2.0 * root).sqrt();
    let (p, q, r) = ((aa + root) / length, ab / length, (bb + root) / length);
    let row = |u: f64, v: f64| std::array::from_fn(|axis| (u * a[axis] + v * b[axis]) / root);
    // Points on a line have no pose.
    (root > 1e-6 * (aa + bb)).then(|| [row(r, -q), row(-q, p)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The mean face as a camera sees it that looks straight ahead: an independent reckoning, angle by angle.
    fn seen(pose: Pose, scale: f64, x: f64, y: f64) -> [Point; 5] {
        let turn = |(a, b): (f64, f64), degrees: f32| {
            let (sine, cosine) = f64::from(degrees).to_radians().sin_cos();
            (a * cosine - b * sine, a * sine + b * cosine)
        };
        FACE.map(|[right, down, away]| {
            // Looking up takes what is in front of the face upwards.
            let (down, away) = turn((down, away), -pose.pitch);
            let (_, right) = turn((away, right), -pose.yaw);
            let (right, down) = turn((right, down), pose.roll);
            Point::new((x + scale * right) as f32, (y + scale * down) as f32)
        })
    }

    #[test]
    fn the_mean_face_itself_looks_into_the_camera() {
        let pose = Pose::of(&seen(Pose::default(), 1.0, 100.0, 100.0)).unwrap();
        assert!([pose.yaw, pose.pitch, pose.roll].iter().all(|angle| angle.abs() < 1e-4), "{pose:?}");
    }

    #[test]
    fn a_nose_to_the_right_and_up_says_where_the_face_looks() {
        let mut landmarks = seen(Pose::default(), 1.0, 0.0, 0.0);
        landmarks[2].x += 10.0;
        landmarks[2].y -= 5.0;
        let pose = Pose::of(&landmarks).unwrap();
        assert!(pose.yaw > 5.0 && pose.pitch > 2.0, "{pose:?}");
    }

    #[test]
    fn points_that_span_no_face_have_no_pose() {
        assert_eq!(Pose::of(&[Point::new(3.0, 3.0); 5]), None);
        let line: [Point; 5] = std::array::from_fn(|index| Point::new(index as f32, 2.0 * index as f32));
        assert_eq!(Pose::of(&line), None);
        assert_eq!(Pose::of(&[Point::new(f32::NAN, 0.0); 5]), None);
    }

    proptest! {
        #[test]
        fn poses_are_found_again(yaw in -70f32..70.0, pitch in -60f32..60.0, roll in -179f32..179.0, scale in 0.1..20.0, x in -500.0..500.0) {
            let pose = Pose { yaw, pitch, roll };
            let found = Pose::of(&seen(pose, scale, x, -x)).unwrap();
            let near = |a: f32, b: f32| (a - b).abs() < 0.1;
            prop_assert!(near(found.yaw, yaw) && near(found.pitch, pitch) && near(found.roll, roll), "{pose:?} {found:?}");
        }
    }
}
