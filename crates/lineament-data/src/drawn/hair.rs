//! Hair and hats.

use super::canvas::{Canvas, Colour, Ink, Shape, times};
use super::face::Face;
use super::person::Length;

/// Long hair falls behind the head and the shoulders' fronts stay free.
pub(super) fn draw_behind(face: &Face<'_>, canvas: &mut Canvas) {
    if face.person.length != Length::Long {
        return;
    }
    let colour = times(face.person.hair.colour(), 0.8);
    let width = face.person.width;
    let fall = Shape::Polygon(vec![
        [-width * 1.12, -0.5],
        [width * 1.12, -0.5],
        [width * 1.45, 0.5],
        [width * 1.5, 1.75],
        [width * 0.6, 1.95],
        [-width * 0.6, 1.95],
        [-width * 1.5, 1.75],
        [-width * 1.45, 0.5],
    ]);
    face.fill(canvas, &fall, Ink::plain(colour).soft(0.02));
    if face.person.wavy {
        for side in [-1.0, 1.0] {
            for step in 0..7 {
                let y = 0.1 + 0.28 * step as f32;
                let bulge = Shape::disc([side * width * 1.45, y], 0.2);
                face.fill(canvas, &bulge, Ink::plain(colour));
            }
        }
    }
}

/// The cap of hair over the forehead, its fringe, and its strands.
pub(super) fn draw_in_front(face: &Face<'_>, canvas: &mut Canvas) {
    let person = face.person;
    if person.length == Length::Bald {
        return;
    }
    let (width, yaw) = (person.width, face.look.yaw);
    let ink = Ink::plain(person.hair.colour()).lit(face.look.light);
    // The face looks out of an opening in the cap; its upper edge is the hairline.
    let hairline = if person.receding { -0.88 } else { -0.58 };
    let below = if person.length == Length::Long { 1.3 } else { 0.02 };
    let opening =
        Shape::Ellipse([yaw, hairline + 1.1], [width * if person.receding { 0.99 } else { 0.9 }, 1.1]);
    let cap = Shape::Ellipse([0.0, -0.12], [width * 1.15, 1.02]);
    let cap = cap.without(opening).and(Shape::rectangle(-2.0, -2.0, 2.0, below));
    face.fill(canvas, &cap, ink.soft(0.02));
    if person.length == Length::Long {
        for side in [-1.0, 1.0] {
            let lock = Shape::Polygon(vec![
                [side * width * 0.9, -0.35],
                [side * width * 1.16, -0.2],
                [side * width * 1.42, 1.6],
                [side * width * 1.02, 1.7],
                [side * width * 0.98, 0.5],
            ]);
            face.fill(canvas, &lock, ink.soft(0.02));
        }
    }
    if person.bangs {
        let fringe = Shape::Polygon(vec![
            [yaw - width * 0.88, -0.25],
            [yaw - width * 0.8, -0.75],
            [yaw + width * 0.8, -0.75],
            [yaw + width * 0.88, -0.25],
        ]);
        face.fill(canvas, &fringe.and(face.outline(1.05)), ink.soft(0.02));
        let shade = Ink::plain(times(person.hair.colour(), 0.6)).thin(0.7);
        for step in -3..=3 {
            let x = yaw + step as f32 * width * 0.24;
            face.fill(canvas, &Shape::Stroke(vec![[x * 0.9, -0.7], [x, -0.27]], 0.014), shade);
        }
    }
    draw_strands(face, canvas);
    if person.receding {
        // Thin temples: the hair's edge is seen through.
        let temple = Ink::plain(person.skin).thin(0.55).soft(0.12);
        for side in [-1.0, 1.0] {
            face.fill(canvas, &Shape::Ellipse([side * width * 0.62 + yaw, -0.72], [0.16, 0.16]), temple);
        }
    }
}

/// Darker lines that tell straight hair from wavy.
fn draw_strands(face: &Face<'_>, canvas: &mut Canvas) {
    let person = face.person;
    let width = person.width;
    let shade = Ink::plain(times(person.hair.colour(), 0.66)).thin(0.7);
    let light = Ink::plain(times(person.hair.colour(), 1.35)).thin(0.5);
    if person.wavy {
        // Curls along the edge and on the crown.
        for step in 0..11 {
            let angle = std::f32::consts::PI * (1.0 + step as f32 / 10.0);
            let centre = [angle.cos() * width * 1.13, -0.12 + angle.sin() * 1.0];
            face.fill(canvas, &Shape::disc(centre, 0.13), Ink::plain(person.hair.colour()));
            face.fill(canvas, &Shape::disc(centre, 0.09).without(Shape::disc(centre, 0.06)), shade);
        }
    } else {
        for step in -2..=2 {
            let x = step as f32 * 0.25;
            let line =
                Shape::arc([x * 0.35, -1.1], [x * width * 1.2, -0.95], [x * width * 2.0, -0.72], 0.012);
            face.fill(canvas, &line, if step % 2 == 0 { shade } else { light });
        }
    }
    if person.length == Length::Long {
        for side in [-1.0_f32, 1.0] {
            for strand in 0..2 {
                let x = width * (1.1 + 0.14 * strand as f32);
                let points = (0..=14).map(|step| {
                    let y = 0.0 + 0.11 * step as f32;
                    let wave = if person.wavy { 0.09 * (y * 9.0).sin() } else { 0.0 };
                    [side * (x + 0.08 * y) + wave, y]
                });
                face.fill(canvas, &Shape::Stroke(points.collect(), 0.018), shade);
            }
        }
    }
}

/// A hat with a brim, over the hair.
pub(super) fn draw_hat(face: &Face<'_>, canvas: &mut Canvas, colour: Colour) {
    let width = face.person.width;
    let crown = Shape::Polygon(vec![
        [-width * 1.14, -0.55],
        [-width * 1.05, -1.25],
        [-width * 0.75, -1.5],
        [width * 0.75, -1.5],
        [width * 1.05, -1.25],
        [width * 1.14, -0.55],
    ]);
    face.fill(canvas, &crown, Ink::plain(colour).lit(face.look.light).soft(0.02));
    let band = Shape::rectangle(-width * 1.13, -0.82, width * 1.13, -0.6);
    face.fill(canvas, &band, Ink::plain(times(colour, 0.5)));
    let brim = Shape::Ellipse([face.look.yaw * 0.5, -0.55], [width * 1.65, 0.13]);
    face.fill(canvas, &brim, Ink::plain(times(colour, 0.78)));
}
