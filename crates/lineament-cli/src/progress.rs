//! Progress: a bar where somebody looks, else a line a minute.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::notes;

/// Between two lines in a log.
const PAUSE: Duration = Duration::from_secs(60);

/// Progress over so many images on standard error: none where there is only one image or where nothing is to be said. On a terminal
/// it is a bar, and hidden where `crowded`: the results themselves go there.
pub fn bar(total: Option<u64>, crowded: bool) -> ProgressBar {
    let is_terminal = io::stderr().is_terminal();
    if notes::is_quiet() || total == Some(1) || is_terminal && crowded {
        return ProgressBar::hidden();
    }
    let (template, target) = match (is_terminal, total) {
        (true, Some(_)) => {
            ("{bar:32.cyan/dim} {pos}/{len} pictures · {per_sec} · {eta} left", ProgressDrawTarget::stderr())
        }
        (true, None) => ("{spinner} {pos} pictures · {per_sec}", ProgressDrawTarget::stderr()),
        (false, Some(_)) => ("{pos} of {len} pictures · {per_sec} · {eta} left", lines(PAUSE, io::stderr())),
        (false, None) => ("{pos} pictures · {per_sec}", lines(PAUSE, io::stderr())),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, target);
    bar.set_style(style.progress_chars("━╸─"));
    bar
}

fn lines(pause: Duration, out: impl Write + Send + Sync + 'static) -> ProgressDrawTarget {
    let log = Log { pause, out: Mutex::new((Instant::now(), Box::new(out))) };
    ProgressDrawTarget::term_like_with_hz(Box::new(log), 1)
}

/// Where progress goes that is no terminal: what would be drawn is written as a line, now and then.
struct Log {
    pause: Duration,
    /// When the last line was written, and where to.
    out: Mutex<(Instant, Box<dyn Write + Send + Sync>)>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("pause", &self.pause).finish_non_exhaustive()
    }
}

impl TermLike for Log {
    fn width(&self) -> u16 {
        // Nothing is wrapped.
        u16::MAX
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let text = text.trim();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_empty() || out.0.elapsed() < self.pause {
            return Ok(());
        }
        out.0 = Instant::now();
        writeln!(out.1, "{text}")
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::Arc;

    /// Written text that can be looked at.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(pause: Duration) -> Vec<String> {
        let written = Written::default();
        let bar = ProgressBar::with_draw_target(Some(30), lines(pause, written.clone()));
        bar.set_style(ProgressStyle::with_template("{pos} of {len} pictures").unwrap());
        for _ in 0..30 {
            bar.inc(1);
            std::thread::sleep(Duration::from_millis(100));
        }
        bar.finish_and_clear();
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_log_gets_a_line_now_and_then() {
        let said = logged(Duration::from_millis(900));
        assert!((1..=4).contains(&said.len()), "{said:?}");
        assert!(said.iter().all(|line| line.ends_with(" of 30 pictures")), "{said:?}");
        assert_eq!(logged(PAUSE), [""; 0], "a short run says nothing");
    }
}
