//! A progress bar, where somebody looks.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over so many images on standard error, hidden where that is no terminal, where there is only one image, or
/// where `crowded`: the results themselves go to the same terminal.
pub fn bar(total: Option<u64>, crowded: bool) -> ProgressBar {
    let wanted = io::stderr().is_terminal() && !crowded && total != Some(1);
    if !wanted {
        return ProgressBar::hidden();
    }
    let template = match total {
        Some(_) => "{bar:32.cyan/dim} {pos}/{len} pictures · {per_sec} · {eta} left",
        None => "{spinner} {pos} pictures · {per_sec}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    bar.set_style(style.progress_chars("━╸─"));
    bar
}
