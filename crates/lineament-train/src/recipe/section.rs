//! The part of a recipe that values stand in, and messages that name what lies outside of its range.

use std::fmt::{self, Display};
use std::ops::{Bound, RangeBounds};

use crate::error::TrainError;

/// A section of a recipe: a stage or a table. Its messages begin with its name.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a>(Title<'a>);

#[derive(Debug, Clone, Copy)]
enum Title<'a> {
    Stage(&'a str),
    Table(&'a str),
}

impl Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Title::Stage(name) => write!(f, "stage {name}"),
            Title::Table(name) => f.write_str(name),
        }
    }
}

/// A number of a recipe, of any type. Counts that a double cannot hold exactly are far outside of every range.
pub trait Number: Copy + Display {
    /// The number as a double.
    fn double(self) -> f64;
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(impl Number for $kind {
            fn double(self) -> f64 {
                self as f64
            }
        })*
    };
}
numbers!(f32, f64, u32, u64, usize);

impl<'a> Section<'a> {
    /// The section of a stage.
    pub fn stage(name: &'a str) -> Self {
        Self(Title::Stage(name))
    }

    /// A table that belongs to no single stage, or the top of the file.
    pub fn table(name: &'a str) -> Self {
        Self(Title::Table(name))
    }

    /// Refuses a value outside of its range, infinite or not a number.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field and its range.
    pub fn within(
        self,
        field: &str,
        value: impl Number,
        range: impl RangeBounds<f64>,
    ) -> Result<(), TrainError> {
        let number = value.double();
        if number.is_finite() && range.contains(&number) {
            return Ok(());
        }
        let least = match range.start_bound() {
            Bound::Included(least) => format!("at least {least}"),
            Bound::Excluded(least) => format!("above {least}"),
            Bound::Unbounded => "finite".to_owned(),
        };
        let most = match range.end_bound() {
            Bound::Included(most) => format!(" and at most {most}"),
            Bound::Excluded(most) => format!(" and below {most}"),
            Bound::Unbounded => String::new(),
        };
        Err(self.refused(format!("`{field}` is {value}; it must be {least}{most}")))
    }

    /// Refuses a list that is empty or holds a value outside of its range.
    ///
    /// # Errors
    /// As [`Section::within`].
    pub fn all_within<N: Number>(
        self,
        field: &str,
        values: &[N],
        range: impl RangeBounds<f64> + Clone,
    ) -> Result<(), TrainError> {
        if values.is_empty() {
            return Err(self.refused(format!("`{field}` is empty; it must list at least one value")));
        }
        values.iter().try_for_each(|value| self.within(field, *value, range.clone()))
    }

    /// Refuses a text that a card could not hold in a line.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn line(self, field: &str, text: &str, most: usize) -> Result<(), TrainError> {
        let good =
            !text.trim().is_empty() && text.chars().count() <= most && !text.contains(char::is_control);
        if good {
            return Ok(());
        }
        Err(self.refused(format!(
            "`{field}` must be a line of 1 to {most} characters without control characters"
        )))
    }

    /// An error of this section.
    pub fn refused(self, why: impl Display) -> TrainError {
        TrainError::Recipe(format!("{self}: {why}"))
    }
}

/// The range above 0 and up to `most`.
pub fn above_zero(most: f64) -> (Bound<f64>, Bound<f64>) {
    (Bound::Excluded(0.0), Bound::Included(most))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_section_field_and_range() {
        let stage = Section::stage("anet");
        let refused = stage.within("dropout", 1.0_f64, 0.0..1.0).unwrap_err().to_string();
        assert!(
            refused.ends_with("stage anet: `dropout` is 1; it must be at least 0 and below 1"),
            "{refused}"
        );
        let refused = stage.all_within("costs", &[1.0, 0.0], above_zero(10.0)).unwrap_err().to_string();
        assert!(refused.ends_with("`costs` is 0; it must be above 0 and at most 10"), "{refused}");
        assert!(
            stage.within("rate", f64::NAN, ..).is_err() && stage.within("rate", f64::INFINITY, ..).is_err()
        );
        assert!(stage.all_within::<f64>("costs", &[], ..).is_err());
        assert!(Section::table("recipe").line("name", "a\u{1b}[2Jb", 100).is_err());
    }
}
