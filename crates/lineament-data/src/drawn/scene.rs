//! Whole images: clutter behind, one or more people in front, light and noise over all.

use lineament::crop::crop;
use lineament::{Photo, Point, Rect};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Coord, Frame, Ink, Shape, mix};
use super::face::Face;
use super::person::{Look, Person, any_colour};
use super::tags::tags;
use super::{Drawn, DrawnFace, DrawnOptions};

/// An image of `person` (the largest face) and perhaps of passers-by.
pub(super) fn with_faces(options: &DrawnOptions, person: &Person, rng: &mut ChaCha8Rng) -> Drawn {
    let (width, height) = size(options, rng);
    let mut canvas = background(width, height, rng);
    let look = person.look(rng);
    let frame = place(width, height, rng.random_range(0.16..0.34), look.roll, rng);
    let mut cast = vec![(person.clone(), look, frame)];
    for _ in 1..options.most_faces.max(1) {
        if rng.random_bool(0.12)
            && let Some(passer_by) = passer_by(width, height, &cast, rng)
        {
            cast.push(passer_by);
        }
    }
    // Who is farther away is smaller and drawn first.
    let faces: Vec<Face<'_>> =
        cast.iter().map(|(person, look, frame)| Face { person, look, frame: *frame }).collect();
    for face in faces.iter().rev() {
        face.draw(&mut canvas);
    }
    let found = faces
        .iter()
        .map(|face| DrawnFace {
            rect: face.rect(),
            landmarks: face.landmarks(),
            tags: tags(face.person, face.look),
        })
        .collect();
    let blurry = cast.first().is_some_and(|(_, look, _)| look.blurry);
    Drawn { photo: finish(canvas, blurry, rng), faces: found }
}

/// An image without a face.
pub(super) fn without_faces(options: &DrawnOptions, rng: &mut ChaCha8Rng) -> Photo {
    let (width, height) = size(options, rng);
    let mut canvas = background(width, height, rng);
    for _ in 0..rng.random_range(2..10) {
        clutter(&mut canvas, width, height, rng);
    }
    let blurry = rng.random_bool(0.05);
    finish(canvas, blurry, rng)
}

fn size(options: &DrawnOptions, rng: &mut ChaCha8Rng) -> (u32, u32) {
    let [least, most] = options.sides;
    let longest = rng.random_range(least.min(most)..=most.max(least)).max(16);
    let other = ((longest as f32 * rng.random_range(0.7..1.0)) as u32).max(16);
    if rng.random_bool(0.5) { (longest, other) } else { (other, longest) }
}

/// A place for a head of half-height `share` of the shorter side, wholly inside with its hair.
fn place(width: u32, height: u32, share: f32, turn: f32, rng: &mut ChaCha8Rng) -> Frame {
    let scale = width.min(height) as f32 * share;
    let mut within = |length: f32, before: f32, after: f32| {
        let (low, high) = (scale * before, length - scale * after);
        if high > low { rng.random_range(low..high) } else { length / 2.0 }
    };
    let centre = Point { x: within(width as f32, 1.05, 1.05), y: within(height as f32, 1.2, 1.15) };
    Frame { centre, scale, turn }
}

type Cast = (Person, Look, Frame);

/// Somebody smaller whose head covers nobody else's, where there is room.
fn passer_by(width: u32, height: u32, cast: &[Cast], rng: &mut ChaCha8Rng) -> Option<Cast> {
    let person = Person::draw(rng);
    let look = person.look(rng);
    let main = cast.first()?.2;
    let head = |frame: Frame| Rect::about(frame.centre, 2.6 * frame.scale, 3.0 * frame.scale);
    for _ in 0..12 {
        let share = main.scale / width.min(height) as f32 * rng.random_range(0.45..0.8);
        let frame = place(width, height, share, look.roll, rng);
        if cast.iter().all(|(_, _, other)| head(*other).intersection(head(frame)).is_none()) {
            return Some((person, look, frame));
        }
    }
    None
}

/// Clutter on a gradient.
pub(super) fn background(width: u32, height: u32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new(width, height, [0.0; 3]);
    let (from, to) = (any_colour(rng), any_colour(rng));
    let angle: f32 = rng.random_range(0.0..std::f32::consts::TAU);
    let (sin, cos) = angle.sin_cos();
    let reach = width.max(height) as f32;
    canvas.change(|x, y, _| mix(from, to, ((x * cos + y * sin) / reach / 2.0 + 0.5).clamp(0.0, 1.0)));
    for _ in 0..rng.random_range(3..12) {
        clutter(&mut canvas, width, height, rng);
    }
    canvas
}

/// One thing in the background: a disc or ellipse, a polygon, a bar, a grid or rings; some in the colours of skin and hair, so that
/// a colour alone never tells a face.
fn clutter(canvas: &mut Canvas, width: u32, height: u32, rng: &mut ChaCha8Rng) {
    let (width, height) = (width as f32, height as f32);
    let reach = width.min(height);
    let centre = Point { x: rng.random_range(0.0..width), y: rng.random_range(0.0..height) };
    let scale = reach * rng.random_range(0.06..0.35_f32);
    let frame = Frame { centre, scale, turn: rng.random_range(0.0..std::f32::consts::TAU) };
    let colour = match rng.random_range(0..4) {
        0 => {
            let person = Person::draw(rng);
            if rng.random_bool(0.6) { person.skin } else { person.hair.colour() }
        }
        _ => any_colour(rng),
    };
    let ink = Ink::plain(colour)
        .thin(rng.random_range(0.5..1.0))
        .soft(if rng.random_bool(0.3) { 0.3 } else { 0.0 })
        .lit(rng.random_range(-0.3..0.3));
    match rng.random_range(0..5) {
        0 => canvas.fill(frame, &Shape::Ellipse([0.0, 0.0], [1.0, rng.random_range(0.4..1.0)]), ink),
        1 => canvas.fill(frame, &Shape::Polygon(blob(rng)), ink),
        2 => canvas.fill(frame, &Shape::rectangle(-3.0, -0.15, 3.0, 0.15), ink),
        3 => {
            for step in -2..=2 {
                let x = step as f32 * 0.45;
                canvas.fill(frame, &Shape::rectangle(x - 0.1, -1.0, x + 0.1, 1.0), ink);
            }
        }
        _ => {
            let ring =
                Shape::disc([0.0, 0.0], 1.0).without(Shape::disc([0.0, 0.0], rng.random_range(0.4..0.85)));
            canvas.fill(frame, &ring, ink);
        }
    }
}

/// A polygon of three to seven corners about the origin.
pub(super) fn blob(rng: &mut ChaCha8Rng) -> Vec<Coord> {
    let corners = rng.random_range(3..8);
    (0..corners)
        .map(|step| {
            let angle =
                std::f32::consts::TAU * (step as f32 + rng.random_range(0.0..0.7_f32)) / corners as f32;
            let radius = rng.random_range(0.5..1.0_f32);
            [angle.cos() * radius, angle.sin() * radius]
        })
        .collect()
}

/// Brightness, tint and grain, and the blur of a missed focus.
pub(super) fn finish(mut canvas: Canvas, blurry: bool, rng: &mut ChaCha8Rng) -> Photo {
    let bright: f32 = rng.random_range(0.75..1.15);
    let tint: [f32; 3] = std::array::from_fn(|_| rng.random_range(0.94..1.06));
    let grain: f32 = rng.random_range(1.0..7.0);
    canvas.change(|_, _, colour| {
        // The sum of two even numbers is near enough to a sensor's noise.
        let noise = (rng.random::<f32>() + rng.random::<f32>() - 1.0) * grain;
        let [r, g, b] = colour;
        [r * tint[0], g * tint[1], b * tint[2]].map(|value| (value * bright + noise).clamp(0.0, 255.0))
    });
    let photo = canvas.into_photo();
    if !blurry {
        return photo;
    }
    let small = |side: u32| (side as f32 * 0.22).round().max(1.0) as u32;
    let shrunk = crop(&photo, photo.rect(), small(photo.width()), small(photo.height()));
    crop(&shrunk, shrunk.rect(), photo.width(), photo.height())
}
