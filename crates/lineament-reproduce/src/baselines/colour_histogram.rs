//! Histograms of colours: red, green and blue, and hue, saturation and value, in the cells of a grid.

use lineament::Photo;
use serde::{Deserialize, Serialize};

/// How finely colours are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColourHistogram {
    /// Bins of each channel.
    pub bins: u32,
    /// Cells of the grid's side.
    pub grid: u32,
}

impl Default for ColourHistogram {
    fn default() -> Self {
        Self { bins: 8, grid: 2 }
    }
}

/// Red, green, blue, hue, saturation, value.
const CHANNELS: usize = 6;
const HUE: usize = 3;

impl ColourHistogram {
    /// Numbers that an image becomes.
    pub fn features(&self) -> usize {
        (self.grid * self.grid * self.bins) as usize * CHANNELS
    }

    /// Whether the constants make sense.
    pub fn is_sound(&self) -> bool {
        (2..=64).contains(&self.bins) && (1..=8).contains(&self.grid)
    }

    /// Adds the histograms of an image to `out`: cells row by row, in each a histogram a channel. A colour between the middles of two bins
    /// counts for both, the nearer more; a hue counts as much as it is saturated, since a grey has none.
    pub fn describe(&self, photo: &Photo, out: &mut Vec<f32>) {
        let (bins, grid) = (self.bins.max(1) as usize, self.grid.max(1) as usize);
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let start = out.len();
        out.resize(start + self.features(), 0.0);
        let sums = out.get_mut(start..).unwrap_or_default();
        let share = (grid * grid) as f32 / (width * height) as f32;
        for (index, pixel) in photo.pixels().as_chunks::<3>().0.iter().enumerate() {
            let cell = (index / width * grid / height) * grid + index % width * grid / width;
            let channels = channels(*pixel);
            let saturation = channels[HUE + 1];
            for (channel, value) in channels.into_iter().enumerate() {
                let histogram = sums.get_mut((cell * CHANNELS + channel) * bins..).unwrap_or_default();
                let weight = if channel == HUE { share * saturation } else { share };
                let place = value * bins as f32 - 0.5;
                let (low, part) = (place.floor(), place - place.floor());
                let bin = |bin: f32| {
                    if channel == HUE {
                        bin.rem_euclid(bins as f32) as usize % bins
                    } else {
                        bin.clamp(0.0, bins as f32 - 1.0) as usize
                    }
                };
                for (bin, part) in [(bin(low), 1.0 - part), (bin(low + 1.0), part)] {
                    if let Some(sum) = histogram.get_mut(bin) {
                        *sum += weight * part;
                    }
                }
            }
        }
    }
}

/// Each between 0 and 1.
fn channels(pixel: [u8; 3]) -> [f32; CHANNELS] {
    let [red, green, blue] = pixel.map(|colour| f32::from(colour) / 255.0);
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    let sixth = if range == 0.0 {
        0.0
    } else if most == red {
        (green - blue) / range
    } else if most == green {
        (blue - red) / range + 2.0
    } else {
        (red - green) / range + 4.0
    };
    let saturation = if most > 0.0 { range / most } else { 0.0 };
    [red, green, blue, (sixth / 6.0).rem_euclid(1.0), saturation, most]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn histograms(photo: &Photo, colours: ColourHistogram) -> Vec<f32> {
        let mut found = Vec::new();
        colours.describe(photo, &mut found);
        assert_eq!(found.len(), colours.features());
        found
    }

    #[test]
    fn hue_saturation_and_value_are_pythons() {
        // colorsys.rgb_to_hsv(r / 255, g / 255, b / 255)
        for (pixel, expected) in [
            ([200, 100, 50], [0.055_555_556, 0.75, 0.784_313_7]),
            ([10, 250, 130], [0.416_666_67, 0.96, 0.980_392_16]),
            ([30, 20, 90], [0.690_476_2, 0.777_777_8, 0.352_941_2]),
            ([7, 7, 7], [0.0, 0.0, 0.027_450_98]),
            ([255, 0, 1], [0.999_346_4, 1.0, 1.0]),
        ] {
            let found = &channels(pixel)[HUE..];
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{pixel:?}: {found:?}");
        }
    }

    #[test]
    fn every_pixel_counts_once_in_its_cell() {
        let photo = lineament::testing::blocks(31, 17, 5);
        let colours = ColourHistogram { bins: 5, grid: 1 };
        let found = histograms(&photo, colours);
        for (channel, histogram) in found.chunks_exact(5).enumerate().filter(|(channel, _)| *channel != HUE) {
            let sum: f32 = histogram.iter().sum();
            assert!((sum - 1.0).abs() < 1e-3, "channel {channel}: {sum}");
        }
        // Red at the left, black at the right.
        let mut photo = Photo::filled(8, 4, [0; 3]);
        photo.pixels_mut().chunks_exact_mut(24).for_each(|row| row[..12].fill(0));
        photo
            .pixels_mut()
            .chunks_exact_mut(24)
            .for_each(|row| row[..12].iter_mut().step_by(3).for_each(|r| *r = 255));
        let found = histograms(&photo, ColourHistogram { bins: 2, grid: 2 });
        let cells: Vec<&[f32]> = found.chunks_exact(2 * CHANNELS).collect();
        assert_eq!(cells[0][..2], [0.0, 1.0]);
        assert_eq!(cells[1][..2], [1.0, 0.0]);
        assert_eq!((cells[0], cells[1]), (cells[2], cells[3]));
        // A grey has no hue.
        assert_eq!(cells[1][2 * HUE..2 * HUE + 2], [0.0, 0.0]);
    }
}
