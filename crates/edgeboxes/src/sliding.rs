//! The windows that EdgeBoxes begins with: a grid of all sizes and shapes.

use crate::{Parameters, Window};

impl Parameters {
    /// Windows of all sizes and shapes about evenly over the image, neighbours overlapping by alpha; each once.
    pub(crate) fn grid(&self, width: usize, height: usize) -> Vec<Window> {
        let scale_step = (1.0 / self.alpha).sqrt();
        let aspect_step = (1.0 + self.alpha) / (2.0 * self.alpha);
        let least = self.min_box_area.sqrt();
        let aspects = (self.max_aspect_ratio.ln() / (2.0 * aspect_step.ln())).floor() as i32;
        let scales = ((width.max(height) as f32 / least).ln() / scale_step.ln()).ceil().max(0.0) as i32;

        let mut shapes = Vec::new();
        for scale in 0..scales {
            let side = least * scale_step.powi(scale);
            for aspect in -aspects..=aspects {
                let ratio = aspect_step.powi(aspect);
                let (w, h) = (side * ratio, side / ratio);
                // A window that is a little too large for the image stands for the one that fills it.
                if w <= width as f32 * aspect_step && h <= height as f32 * aspect_step {
                    shapes.push(((w as usize).clamp(1, width), (h as usize).clamp(1, height)));
                }
            }
        }
        shapes.sort_unstable();
        shapes.dedup();

        let mut windows = Vec::new();
        for (w, h) in shapes {
            for y in self.starts(h, height) {
                windows.extend(self.starts(w, width).map(|x| Window { x0: x, y0: y, x1: x + w, y1: y + h }));
            }
        }
        windows
    }

    /// Where windows of one side begin: from one rim of the image to the other.
    fn starts(&self, side: usize, length: usize) -> impl Iterator<Item = usize> + use<> {
        let step = ((side as f32 * self.step_ratio()) as usize).max(2);
        let last = length - side;
        (0..last).step_by(step).chain([last])
    }

    /// Step between neighbouring windows, over their side.
    pub(crate) fn step_ratio(&self) -> f32 {
        (1.0 - self.alpha) / (1.0 + self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_no_window_twice_and_reaches_every_rim() {
        let grid = Parameters::default().grid(224, 168);
        let mut sorted = grid.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), grid.len());
        assert!(grid.iter().all(|b| b.x0 < b.x1 && b.x1 <= 224 && b.y0 < b.y1 && b.y1 <= 168));
        assert!(grid.iter().any(|b| b.x1 == 224 && b.y1 == 168 && b.x0 > 0));
        // Neighbours within a row overlap by about alpha.
        let row: Vec<_> = grid.iter().filter(|b| (b.y0, b.y1) == (grid[0].y0, grid[0].y1)).collect();
        let overlap = row[0].iou(row[1]);
        assert!(overlap > 0.6, "{overlap}");
    }
}
