//! Objects to learn first filters from: plain figures in any colour, place and turn.

use lineament::{Photo, Point};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Coord, Frame, Ink, Shape, mix};
use super::person::any_colour;
use super::scene::{blob, finish};

/// The classes of drawn objects; folders are named after them.
pub const OBJECTS: [&str; 12] = [
    "arrow", "bars", "checks", "crescent", "cross", "disc", "dots", "ring", "spiral", "square", "star",
    "triangle",
];

/// An image of one object of class `class` (an index into [`OBJECTS`]; later ones begin anew).
pub(super) fn draw(class: usize, side: u32, rng: &mut ChaCha8Rng) -> Photo {
    let side = side.max(8);
    let mut canvas = Canvas::new(side, side, any_colour(rng));
    let half = side as f32 / 2.0;
    for _ in 0..rng.random_range(0..3) {
        let centre = Point { x: rng.random_range(0.0..side as f32), y: rng.random_range(0.0..side as f32) };
        let frame = Frame { centre, scale: half * rng.random_range(0.2..0.7), turn: 0.0 };
        canvas.fill(frame, &Shape::Polygon(blob(rng)), Ink::plain(any_colour(rng)).thin(0.5).soft(0.3));
    }
    let scale = half * rng.random_range(0.5..0.85);
    let room = (half - scale * 0.8).max(1.0);
    let mut middle = || half + rng.random_range(-room..room) * 0.8;
    let centre = Point { x: middle(), y: middle() };
    let turn = rng.random_range(0.0..std::f32::consts::TAU);
    let ink = Ink::plain(mix(any_colour(rng), any_colour(rng), 0.2)).lit(rng.random_range(-0.2..0.2));
    for shape in shapes(class % OBJECTS.len()) {
        canvas.fill(Frame { centre, scale, turn }, &shape, ink);
    }
    finish(canvas, false, rng)
}

fn round(count: usize, radius: impl Fn(usize) -> f32) -> Vec<Coord> {
    (0..count)
        .map(|step| {
            let (sin, cos) = (std::f32::consts::TAU * step as f32 / count as f32).sin_cos();
            [cos * radius(step), sin * radius(step)]
        })
        .collect()
}

fn shapes(class: usize) -> Vec<Shape> {
    let centre = [0.0, 0.0];
    let bars = |count: i32| {
        (0..count).map(move |i| {
            let x = -0.9 + 1.8 * (i as f32 + 0.25) / count as f32;
            Shape::rectangle(x, -0.8, x + 0.9 / count as f32, 0.8)
        })
    };
    match class {
        0 => vec![Shape::Polygon(vec![
            [-0.95, -0.18],
            [0.2, -0.18],
            [0.2, -0.6],
            [0.95, 0.0],
            [0.2, 0.6],
            [0.2, 0.18],
            [-0.95, 0.18],
        ])],
        1 => bars(5).collect(),
        2 => (0..16)
            .filter(|cell| (cell / 4 + cell % 4) % 2 == 0)
            .map(|cell| {
                let (x, y) = ((cell % 4) as f32 * 0.4 - 0.8, (cell / 4) as f32 * 0.4 - 0.8);
                Shape::rectangle(x, y, x + 0.4, y + 0.4)
            })
            .collect(),
        3 => vec![Shape::disc(centre, 0.9).without(Shape::disc([0.4, 0.0], 0.75))],
        4 => vec![Shape::rectangle(-0.9, -0.25, 0.9, 0.25), Shape::rectangle(-0.25, -0.9, 0.25, 0.9)],
        5 => vec![Shape::disc(centre, 0.85)],
        6 => round(6, |_| 0.68).into_iter().map(|place| Shape::disc(place, 0.2)).collect(),
        7 => vec![Shape::disc(centre, 0.9).without(Shape::disc(centre, 0.55))],
        8 => {
            let points = (0..60).map(|step| {
                let angle = step as f32 * 0.22;
                let radius = 0.07 * angle;
                [angle.cos() * radius, angle.sin() * radius]
            });
            vec![Shape::Stroke(points.collect(), 0.09)]
        }
        9 => vec![Shape::rectangle(-0.75, -0.75, 0.75, 0.75)],
        10 => vec![Shape::Polygon(round(10, |step| if step % 2 == 0 { 0.95 } else { 0.4 }))],
        _ => vec![Shape::Polygon(round(3, |_| 0.95))],
    }
}
