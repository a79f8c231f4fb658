//! What is said on standard error.

use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::terminal::{Colours, Style};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Has nothing said from now on but what failed or could not be read.
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether nobody wants to hear how it goes.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says something that is no failure.
pub fn note(text: impl Display) {
    if !is_quiet() {
        say(Style::Dim, "note", &in_one_line(text));
    }
}

/// Says that one image, of several perhaps, could not be dealt with.
pub fn unread(text: impl Display) {
    say(Style::Warning, "not read", &in_one_line(text));
}

/// Says that an image was read, and that a file beside it could not be written.
pub fn unwritten(text: impl Display) {
    say(Style::Warning, "not written", &in_one_line(text));
}

/// A name in a message may hold anything: line breaks, which would begin a message of their own, and commands to a terminal.
fn in_one_line(text: impl Display) -> String {
    text.to_string().replace(char::is_control, "?")
}

/// Says why the program ends, with every cause that adds something.
pub fn failure(error: &anyhow::Error) {
    let mut text = error.to_string();
    // Many messages name their cause already: it is not said twice.
    let mut last = text.clone();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            let _ = write!(text, "\n  because {cause}");
        }
        last = cause;
    }
    say(Style::Failure, "error", &text);
}

fn say(style: Style, word: &str, text: &str) {
    let colours = Colours::of(&io::stderr());
    // Nothing is left to be said where standard error is closed.
    let _ = writeln!(io::stderr(), "{} {text}", colours.paint(style, &format!("{word}:")));
}

/// Whether the reader of our output has gone.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_closed_pipe_is_seen_through_its_context() {
        let closed = || Err::<(), _>(io::Error::from(io::ErrorKind::BrokenPipe));
        let error = closed().context("writing").map_err(|error| error.context("predict"));
        assert!(error.is_err_and(|error| is_broken_pipe(&error)));
        let full = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).context("writing");
        assert!(full.is_err_and(|error| !is_broken_pipe(&error)));
    }
}
