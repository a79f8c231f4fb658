//! Whether somebody looks, and colours if so.

use std::env;
use std::io::IsTerminal;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The path of an image.
    Title,
    /// An attribute that is there, and the full part of its bar.
    Present,
    /// Said by the way.
    Dim,
    /// Something was passed over.
    Warning,
    /// Something failed.
    Failure,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Title => "1",
            Self::Present => "36",
            Self::Dim => "2",
            Self::Warning => "33",
            Self::Failure => "1;31",
        }
    }
}

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours(bool);

impl Colours {
    /// No colours at all.
    pub const NONE: Self = Self(false);

    /// Colours where `stream` is a terminal, unless NO_COLOR is set (<https://no-color.org>) or the terminal is dumb.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(stream.is_terminal() && !refused)
    }

    /// The text in its style.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_painted() {
        assert_eq!(Colours::NONE.paint(Style::Title, "a"), "a");
        assert_eq!(Colours(true).paint(Style::Present, "a"), "\x1b[36ma\x1b[0m");
        assert_eq!(Colours(true).paint(Style::Present, ""), "");
    }
}
