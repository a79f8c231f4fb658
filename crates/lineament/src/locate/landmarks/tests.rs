use lineament_net::{Array, Layer};

use super::*;

/// A net of one linear layer that says the same of every square.
fn constant(values: [f32; 10]) -> (LandmarkSpec, Weights) {
    let layer = Layer::Linear { name: "out".to_owned(), outputs: 10, bias: true };
    let net = NetSpec { name: "landmarks".to_owned(), input: Shape::new(3, 8, 8), layers: vec![layer] };
    let weight = Array { shape: vec![10, 192], data: vec![0.0; 1920] };
    let bias = Array { shape: vec![10], data: values.to_vec() };
    let weights = [("out.weight".to_owned(), weight), ("out.bias".to_owned(), bias)].into_iter().collect();
    (LandmarkSpec { net, enlarge: 2.0 }, weights)
}

fn find(values: [f32; 10], upright: Rect, roll: f32) -> Result<[Point; 5], LandmarkError> {
    let (spec, weights) = constant(values);
    let photo = Photo::filled(100, 80, [90; 3]);
    Landmarker::new(&Engine::Native, &spec, &weights, Preprocess::default())?.find(&photo, upright, roll)
}

#[test]
fn numbers_are_sides_of_the_square_from_its_centre() {
    let upright = Rect::new(40.0, 20.0, 10.0, 20.0);
    let values = [-0.25, -0.1, 0.25, -0.1, 0.0, 0.0, -0.2, 0.2, 0.2, 0.2];
    let found = find(values, upright, 0.0).unwrap();
    // The square is 40 px wide about (45, 30).
    let expected = [(35.0, 26.0), (55.0, 26.0), (45.0, 30.0), (37.0, 38.0), (53.0, 38.0)];
    for (point, (x, y)) in found.iter().zip(expected) {
        assert!(point.distance(Point::new(x, y)) < 1e-4, "{found:?}");
    }
    // On a head that lies on its side, what was above the centre is to its right.
    let turned = find(values, upright, 90.0).unwrap();
    assert!(turned[0].distance(Point::new(49.0, 20.0)) < 1e-3, "{turned:?}");
}

#[test]
fn boxes_without_an_inside_and_numbers_without_end_are_refused() {
    for upright in
        [Rect::new(0.0, 0.0, 0.0, 4.0), Rect::new(0.0, 0.0, 4.0, 0.0), Rect::new(f32::NAN, 0.0, 4.0, 4.0)]
    {
        assert!(matches!(find([0.0; 10], upright, 0.0), Err(LandmarkError::Box(_))), "{upright:?}");
    }
    let upright = Rect::new(0.0, 0.0, 4.0, 4.0);
    assert!(matches!(find([0.0; 10], upright, f32::NAN), Err(LandmarkError::Box(_))));
    assert!(matches!(find([f32::MAX; 10], upright, 0.0), Err(LandmarkError::NotFinite)));
}

#[test]
fn nets_of_other_shapes_are_refused() {
    let (spec, _) = constant([0.0; 10]);
    assert!(spec.check().is_ok());
    let wide = NetSpec { input: Shape::new(3, 8, 9), ..spec.net.clone() };
    assert!(matches!(LandmarkSpec { net: wide, ..spec.clone() }.check(), Err(LandmarkError::Shape { .. })));
    let few = Layer::Linear { name: "out".to_owned(), outputs: 8, bias: true };
    let few = NetSpec { layers: vec![few], ..spec.net.clone() };
    assert!(matches!(LandmarkSpec { net: few, ..spec.clone() }.check(), Err(LandmarkError::Shape { .. })));
    for enlarge in [0.0, 9.0, f32::NAN] {
        assert!(matches!(LandmarkSpec { enlarge, ..spec.clone() }.check(), Err(LandmarkError::Enlarge(_))));
    }
}
