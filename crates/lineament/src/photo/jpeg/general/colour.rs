//! From planes of components to red, green and blue.

use super::Colours;
use super::frame::Frame;
use super::samples::{Plane, plane};

/// Parts of a sample that positions are counted in: whole for the middle of a pixel at every ratio of the
/// factors 1 to 4.
const PARTS: i64 = 24;

/// The image, and with it the frame's coefficients gone.
pub(super) fn rgb(mut frame: Frame, colours: Colours) -> Vec<u8> {
    let precision = frame.precision;
    let planes: Vec<Plane> = frame.components.iter_mut().map(|part| plane(part, precision)).collect();
    let width = frame.width as usize;
    let mut pixels = vec![0; width * frame.height as usize * 3];
    let places: Vec<Vec<(usize, usize, i64)>> = frame
        .components
        .iter()
        .map(|part| (0..frame.width).map(|x| place(x, part.h, frame.across, part.width)).collect())
        .collect();
    let mut rows = vec![vec![0u8; width]; planes.len()];
    for (y, to) in (0..frame.height).zip(pixels.chunks_exact_mut(width * 3)) {
        for (((part, plane), places), row) in frame.components.iter().zip(&planes).zip(&places).zip(&mut rows)
        {
            let line = |y: usize| plane.samples.get(y * plane.stride..).unwrap_or_default();
            let (above, below, down) = place(y, part.v, frame.down, part.height);
            let (above, below) = (line(above), line(below));
            if part.h == frame.across && down == 0 {
                row.iter_mut().zip(above).for_each(|(to, value)| *to = *value);
                continue;
            }
            for (to, &(left, right, across)) in row.iter_mut().zip(places) {
                let mixed = |line: &[u8]| {
                    let at = |x: usize| i64::from(line.get(x).copied().unwrap_or_default());
                    at(left) * (PARTS - across) + at(right) * across
                };
                let sum = mixed(above) * (PARTS - down) + mixed(below) * down;
                *to = ((sum + PARTS * PARTS / 2) / (PARTS * PARTS)) as u8;
            }
        }
        match rows.as_slice() {
            [grey] => to.chunks_exact_mut(3).zip(grey).for_each(|(to, &value)| to.fill(value)),
            [a, b, c] => {
                for (to, ((&a, &b), &c)) in to.chunks_exact_mut(3).zip(a.iter().zip(b).zip(c)) {
                    let rgb = if colours.luma { from_luma(a, b, c) } else { [a, b, c] };
                    to.copy_from_slice(&rgb);
                }
            }
            [a, b, c, k] => {
                let samples = a.iter().zip(b).zip(c).zip(k);
                for (to, (((&a, &b), &c), &k)) in to.chunks_exact_mut(3).zip(samples) {
                    to.copy_from_slice(&from_inks(a, b, c, k, colours));
                }
            }
            _ => {}
        }
    }
    pixels
}

/// Where a pixel lies among the samples of a component: the two beside its middle, and how far it is from
/// the first to the second.
fn place(at: u32, factor: u32, largest: u32, length: u32) -> (usize, usize, i64) {
    let middle = (2 * i64::from(at) + 1) * i64::from(factor) * (PARTS / 2) / i64::from(largest) - PARTS / 2;
    let first = middle.div_euclid(PARTS);
    let inside = |at: i64| at.clamp(0, i64::from(length) - 1) as usize;
    (inside(first), inside(first + 1), middle.rem_euclid(PARTS))
}

/// As JFIF has it, in parts of 65,536.
pub(in crate::photo) fn from_luma(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let y = (i32::from(y) << 16) + (1 << 15);
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    [y + 91_881 * cr, y - 22_554 * cb - 46_802 * cr, y + 116_130 * cb]
        .map(|value| (value >> 16).clamp(0, 255) as u8)
}

/// Four inks on white. The first three may be luma and differences, of the light that the inks leave.
fn from_inks(a: u8, b: u8, c: u8, k: u8, colours: Colours) -> [u8; 3] {
    let inks = if colours.luma { from_luma(a, b, c).map(|light| 255 - light) } else { [a, b, c] };
    let left = |ink: u8| if colours.inverted { u32::from(ink) } else { 255 - u32::from(ink) };
    inks.map(|ink| ((left(ink) * left(k) + 127) / 255) as u8)
}
