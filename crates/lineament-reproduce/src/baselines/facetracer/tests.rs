use super::*;
use lineament::Rect;
use lineament::testing::blocks;
use proptest::prelude::*;

fn two_parts(power: f32) -> FaceTracer {
    let parts = vec![
        Part::new("eyes", [0.0, 0.0], [2.0, 1.0], [32, 16]),
        Part::new("mouth", [0.0, 1.0], [1.4, 0.8], [24, 16]),
    ];
    FaceTracer { parts, hog: Hog::default(), colours: ColourHistogram::default(), colour_weight: 0.5, power }
}

const FACE: [Point; 5] = [
    Point { x: 40.0, y: 50.0 },
    Point { x: 80.0, y: 52.0 },
    Point { x: 60.0, y: 75.0 },
    Point { x: 43.0, y: 94.0 },
    Point { x: 76.0, y: 95.0 },
];

#[test]
fn each_part_has_its_length() {
    for power in [1.0, 0.5] {
        let tracer = two_parts(power);
        tracer.check().unwrap();
        let vector = tracer.embed(&blocks(120, 130, 3), &FACE.into()).unwrap();
        assert_eq!(vector.len(), tracer.features());
        let mut rest = vector.as_slice();
        for part in &tracer.parts {
            for (length, expected) in
                [(tracer.hog.features(part.pixels), 1.0), (tracer.colours.features(), 0.5)]
            {
                let (block, after) = rest.split_at(length);
                rest = after;
                let long = block.iter().map(|value| value * value).sum::<f32>().sqrt();
                assert!((long - expected).abs() < 1e-4, "{long} {expected}");
            }
        }
    }
}

#[test]
fn a_box_is_not_enough() {
    let refused = two_parts(1.0).embed(&blocks(60, 60, 1), &Rect::new(0.0, 0.0, 9.0, 9.0).into());
    assert!(refused.unwrap_err().to_string().contains("landmarks"));
}

#[test]
fn constants_that_count_nothing_are_refused() {
    let refused = |edit: fn(&mut FaceTracer)| {
        let mut tracer = two_parts(1.0);
        edit(&mut tracer);
        tracer.check().unwrap_err().to_string()
    };
    assert!(refused(|t| t.parts.clear()).contains("0 parts"));
    assert!(refused(|t| t.parts[0].pixels = [8, 64]).contains("eyes"));
    assert!(refused(|t| t.hog.cell = 0).contains("hog"));
    assert!(refused(|t| t.hog.block = 40).contains("hog"));
    assert!(refused(|t| t.colours.bins = u32::MAX).contains("bins"));
    assert!(refused(|t| t.power = 0.0).contains("power"));
    assert!(refused(|t| t.colour_weight = f32::NAN).contains("colour_weight"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A photo that is moved with the face on it is described alike.
    #[test]
    fn a_moved_face_is_described_alike(right in 0..40_u32, down in 0..40_u32, seed in 0..1000_u64) {
        let (tracer, photo) = (two_parts(0.5), blocks(120, 130, seed));
        let mut larger = Photo::filled(160, 170, [90; 3]);
        let row = 160 * 3;
        for (to, from) in larger.pixels_mut().chunks_exact_mut(row).skip(down as usize).zip(photo.pixels().chunks_exact(360)) {
            to[right as usize * 3..][..360].copy_from_slice(from);
        }
        let moved = FACE.map(|point| Point::new(point.x + right as f32, point.y + down as f32));
        let (one, other) = (tracer.embed(&photo, &FACE.into()), tracer.embed(&larger, &moved.into()));
        for (one, other) in one.unwrap().iter().zip(other.unwrap()) {
            prop_assert!((one - other).abs() < 0.05, "{one} {other}");
        }
    }
}
