//! How small a face is looked for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::photo::Photo;

/// The height of the smallest face box that is looked for: in pixels of the photo, or as a share of its longer side.
///
/// Read from text as `24`, `24px` or `2.5%`, and written in the same way.
///
/// ```
/// use lineament::locate::SmallestFace;
///
/// let pixels: SmallestFace = "24".parse()?;
/// assert_eq!(pixels, SmallestFace::pixels(24.0)?);
/// assert_eq!("2.5%".parse::<SmallestFace>()?.to_string(), "2.5%");
/// # Ok::<(), lineament::locate::SmallestFaceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmallestFace(Size);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Pixels(f32),
    Share(f32),
}

/// A smallest face that is none.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SmallestFaceError {
    /// Pixels out of range.
    #[error(
        "the smallest face is {0} pixels; give {least} to {most} pixels",
        least = SmallestFace::LEAST_PIXELS,
        most = SmallestFace::MOST_PIXELS
    )]
    Pixels(f32),
    /// A share that is none.
    #[error("the smallest face is {0} % of the longer side; give a share above 0 and up to 100 %")]
    Percent(f32),
    /// Neither pixels nor a share.
    #[error("{0:?} is no size of a face; give pixels (24 or 24px) or a share of the longer side (2.5%)")]
    Text(String),
}

impl SmallestFace {
    /// The smallest face that can be asked for, in pixels of the photo: what is lower shows no face to any of the nets.
    pub const LEAST_PIXELS: f32 = 8.0;
    /// The largest one.
    pub const MOST_PIXELS: f32 = 1e6;

    const USUAL_SHARE: f32 = 0.025;
    const USUAL_LEAST: f32 = 16.0;

    /// So many pixels of the photo.
    ///
    /// # Errors
    /// Less than [`SmallestFace::LEAST_PIXELS`], more than [`SmallestFace::MOST_PIXELS`], or no number.
    pub fn pixels(height: f32) -> Result<Self, SmallestFaceError> {
        if (Self::LEAST_PIXELS..=Self::MOST_PIXELS).contains(&height) {
            Ok(Self(Size::Pixels(height)))
        } else {
            Err(SmallestFaceError::Pixels(height))
        }
    }

    /// A share of the photo's longer side, above 0 and up to 1; never less than [`SmallestFace::LEAST_PIXELS`].
    ///
    /// # Errors
    /// A share out of that range, or no number.
    pub fn share(share: f32) -> Result<Self, SmallestFaceError> {
        if share > 0.0 && share <= 1.0 {
            Ok(Self(Size::Share(share)))
        } else {
            Err(SmallestFaceError::Percent(share * 100.0))
        }
    }

    /// Its height in a photo, in pixels.
    pub fn height_in(self, photo: &Photo) -> f32 {
        match self.0 {
            Size::Pixels(height) => height,
            Size::Share(share) => (share * longer_side(photo)).max(Self::LEAST_PIXELS),
        }
    }

    /// Where none is asked for: 2.5 % of the photo's longer side, 16 pixels at least.
    pub fn usual_height_in(photo: &Photo) -> f32 {
        (Self::USUAL_SHARE * longer_side(photo)).max(Self::USUAL_LEAST)
    }
}

fn longer_side(photo: &Photo) -> f32 {
    photo.width().max(photo.height()) as f32
}

impl FromStr for SmallestFace {
    type Err = SmallestFaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number =
            |digits: &str| digits.trim().parse::<f32>().map_err(|_| SmallestFaceError::Text(text.to_owned()));
        let trimmed = text.trim();
        match trimmed.strip_suffix('%') {
            Some(percent) => {
                let percent = number(percent)?;
                Self::share(percent / 100.0).map_err(|_| SmallestFaceError::Percent(percent))
            }
            None => Self::pixels(number(trimmed.strip_suffix("px").unwrap_or(trimmed))?),
        }
    }
}

impl fmt::Display for SmallestFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Size::Pixels(height) => write!(f, "{height}px"),
            // Shares are typed as percentages: one that was comes back as it was.
            Size::Share(share) => write!(f, "{}%", (f64::from(share) * 1e6).round() / 1e4),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pixels_and_shares_are_read() {
        let photo = Photo::filled(2000, 1000, [0; 3]);
        for (text, height) in [
            ("24", 24.0),
            ("24px", 24.0),
            (" 24.5 px ", 24.5),
            ("2.5%", 50.0),
            ("100 %", 2000.0),
            ("0.01%", 8.0),
        ] {
            let read: SmallestFace = text.parse().unwrap();
            assert!((read.height_in(&photo) - height).abs() < 1e-3, "{text}: {read:?}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_advice() {
        for (text, told) in [
            ("", "2.5%"),
            ("small", "\"small\""),
            ("12 em", "24px"),
            ("0", "8 to"),
            ("7.9px", "7.9 pixels"),
            ("-3", "-3"),
            ("NaN", "NaN"),
            ("inf", "inf"),
            ("0%", "above 0"),
            ("101%", "101 %"),
            ("NaN%", "NaN"),
        ] {
            let error = text.parse::<SmallestFace>().unwrap_err().to_string();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn usually_it_is_a_fortieth_of_the_longer_side_and_sixteen_pixels_at_least() {
        assert_eq!(SmallestFace::usual_height_in(&Photo::filled(300, 1000, [0; 3])), 25.0);
        assert_eq!(SmallestFace::usual_height_in(&Photo::filled(1, 1, [0; 3])), 16.0);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(pixels in 8.0f32..1e6, tenths_of_a_percent in 1u16..=1000) {
            let pixels = SmallestFace::pixels(pixels).unwrap();
            prop_assert_eq!(pixels.to_string().parse::<SmallestFace>().unwrap(), pixels);
            let share = format!("{}%", f64::from(tenths_of_a_percent) / 10.0);
            prop_assert_eq!(share.parse::<SmallestFace>().unwrap().to_string(), share);
        }
    }
}
