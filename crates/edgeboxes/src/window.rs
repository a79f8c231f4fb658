//! Windows of whole pixels.

/// A window of whole pixels: columns `x0..x1`, rows `y0..y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Leftmost column.
    pub x0: usize,
    /// Topmost row.
    pub y0: usize,
    /// First column right of the window.
    pub x1: usize,
    /// First row below the window.
    pub y1: usize,
}

impl Window {
    /// Columns.
    pub fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0)
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0)
    }

    /// Intersection over union, between 0 and 1; 0 where one of the two has no area.
    pub fn iou(&self, other: &Self) -> f32 {
        let span = |start: usize, end: usize| end.saturating_sub(start) as f64;
        let shared = span(self.x0.max(other.x0), self.x1.min(other.x1))
            * span(self.y0.max(other.y0), self.y1.min(other.y1));
        if shared == 0.0 {
            return 0.0;
        }
        let either = self.area() + other.area() - shared;
        (shared / either) as f32
    }

    /// The window of half the width and half the height in its middle.
    pub(crate) fn centre_quarter(&self) -> Self {
        let (width, height) = (self.width() / 2, self.height() / 2);
        let (x0, y0) = (self.x0 + (self.width() - width) / 2, self.y0 + (self.height() - height) / 2);
        Self { x0, y0, x1: x0 + width, y1: y0 + height }
    }

    /// In square pixels, without rounding.
    fn area(&self) -> f64 {
        self.width() as f64 * self.height() as f64
    }
}

/// A window and how likely it holds a whole object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// The window.
    pub window: Window,
    /// Its score: higher is likelier. Comparable within one image.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_the_shared_area_over_the_covered_one() {
        let window = |x0, y0, x1, y1| Window { x0, y0, x1, y1 };
        let left = window(0, 0, 4, 4);
        assert_eq!(left.iou(&left), 1.0);
        assert_eq!(left.iou(&window(2, 0, 6, 4)), 8.0 / 24.0);
        assert_eq!(window(2, 0, 6, 4).iou(&left), 8.0 / 24.0);
        assert_eq!(left.iou(&window(4, 0, 8, 4)), 0.0);
        assert_eq!(left.iou(&window(2, 2, 2, 3)), 0.0);
        let turned_round = window(3, 3, 1, 1);
        assert_eq!((turned_round.iou(&turned_round), turned_round.width()), (0.0, 0));
    }
}
