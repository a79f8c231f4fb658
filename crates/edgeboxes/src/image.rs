//! The view of an image that windows are proposed in.

/// Pixels of an image, row by row from the top. The height is the number of whole rows.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    width: usize,
    pixels: Pixels<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Pixels<'a> {
    Rgb(&'a [[u8; 3]]),
    Grey(&'a [u8]),
}

impl<'a> Image<'a> {
    /// An image of red, green and blue, `width` pixels a row.
    pub fn rgb(width: usize, pixels: &'a [[u8; 3]]) -> Self {
        Self { width, pixels: Pixels::Rgb(pixels) }
    }

    /// An image of grey, `width` pixels a row.
    pub fn grey(width: usize, pixels: &'a [u8]) -> Self {
        Self { width, pixels: Pixels::Grey(pixels) }
    }

    /// Pixels a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows; none where the width is 0.
    pub fn height(&self) -> usize {
        let count = match self.pixels {
            Pixels::Rgb(pixels) => pixels.len(),
            Pixels::Grey(pixels) => pixels.len(),
        };
        count.checked_div(self.width).unwrap_or(0)
    }

    /// Luma of ITU-R BT.601 in 0..1, `width * height` values.
    pub(crate) fn luma(&self) -> Vec<f32> {
        let count = self.width * self.height();
        match self.pixels {
            Pixels::Rgb(pixels) => pixels
                .iter()
                .take(count)
                .map(|p| {
                    (0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])) / 255.0
                })
                .collect(),
            Pixels::Grey(pixels) => pixels.iter().take(count).map(|&p| f32::from(p) / 255.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_height_is_the_number_of_whole_rows() {
        let image = Image::grey(3, &[0, 51, 255, 0, 0, 0, 7]);
        assert_eq!((image.width(), image.height()), (3, 2));
        assert_eq!(image.luma(), [0.0, 0.2, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(Image::rgb(0, &[[1; 3]]).height(), 0);
        assert!(Image::rgb(0, &[[1; 3]]).luma().is_empty());
    }

    #[test]
    fn green_counts_most() {
        let luma = Image::rgb(1, &[[255, 0, 0], [0, 255, 0], [0, 0, 255]]).luma();
        assert!(luma[1] > luma[0] && luma[0] > luma[2]);
        assert!((luma.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
