//! Parts of a photo at the size that a net wants.
//!
//! [`crop`] is separable: one set of triangle weights for the columns and one for the rows, wide when
//! shrinking (so that every source pixel counts) and bilinear when growing. [`warp`] does the same along
//! turned axes. [`FaceCrop`] says which part of a photo a face's crop is.

mod face;
mod sums;
mod warp;
mod weights;

use lineament_net::vectorised;

use crate::{Photo, Rect};
pub use face::{FaceCrop, Framing};
use sums::Sums;
pub use warp::warp;
use weights::Weights;

/// What `rect` shows, as a photo of `width` by `height` pixels.
///
/// The rectangle may reach outside of the image or lie there altogether: the pixels of the edge are
/// repeated. Shrinking is antialiased, growing bilinear, and the full image at its own size is the image
/// itself. A side of zero is taken as one; a rectangle that is not finite shows the full image.
pub fn crop(photo: &Photo, rect: Rect, width: u32, height: u32) -> Photo {
    let rect = if rect.is_finite() { rect } else { photo.rect() };
    let (width, height) = (width.max(1), height.max(1));
    let columns = Weights::new(rect.x, rect.width, width, photo.width());
    let rows = Weights::new(rect.y, rect.height, height, photo.height());
    let mut out = Photo::filled(width, height, [0; 3]);
    vectorised(Sums { photo, columns: &columns, rows: &rows, out: &mut out });
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
