//! Taking times: rivals in turns, medians and quartiles.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use lineament::Threads;

use crate::settings::Settings;

/// A pause before each rival's turn: threads of the one before it that spin for more work (ONNX Runtime's do, for longer than 30 ms) have gone to
/// sleep by then and take nothing from the next.
const SETTLE: Duration = Duration::from_millis(200);
/// Runs that are not timed after it: a processor that slept takes this long to its full pace.
const WARM: Duration = Duration::from_millis(30);
/// The least that is timed at once; shorter runs are repeated.
const LEAST: f64 = 2e-3;

/// Seconds of one rival's runs.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// Round by round.
    rounds: Vec<f64>,
    ascending: Vec<f64>,
}

impl Times {
    /// Of times in the order in which they were taken.
    pub fn new(rounds: Vec<f64>) -> Self {
        let mut ascending = rounds.clone();
        ascending.sort_by(f64::total_cmp);
        Self { rounds, ascending }
    }

    /// How many times as long as `other` it took: the median over the rounds, in each of which both had their turn. When the machine changes its pace from
    /// minute to minute, that says more than the medians of the times.
    pub fn over(&self, other: &Self) -> f64 {
        Self::new(self.rounds.iter().zip(&other.rounds).map(|(ours, others)| ours / others).collect())
            .median()
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.ascending.len().saturating_sub(1);
        self.ascending.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The least of them, in seconds.
    pub fn least(&self) -> f64 {
        self.at(0.0)
    }

    /// Seconds.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// Median and, in brackets, first and third quartile, in milliseconds.
    pub fn text(&self) -> String {
        let digits = if self.median() < 0.01 { 3 } else { 1 };
        let ms = |share| format!("{:.digits$}", 1e3 * self.at(share));
        format!("{} [{} – {}]", ms(0.5), ms(0.25), ms(0.75))
    }
}

/// What takes part.
pub struct Rival<'a> {
    /// The pool that it is called in; none for those who have threads of their own.
    pool: Option<&'a Threads>,
    run: Box<dyn FnMut() -> Result<()> + Send + 'a>,
}

impl<'a> Rival<'a> {
    /// One that works on a pool. All its runs of a turn are made in there, as a program does that works through a folder: going there costs as much as a
    /// small net.
    pub fn on(pool: &'a Threads, run: impl FnMut() -> Result<()> + Send + 'a) -> Self {
        Self { pool: Some(pool), run: Box::new(run) }
    }

    /// One that is called from the main thread.
    pub fn alone(run: impl FnMut() -> Result<()> + Send + 'a) -> Self {
        Self { pool: None, run: Box::new(run) }
    }

    /// Seconds of one of so many runs.
    fn take(&mut self, repeats: u32) -> Result<f64> {
        let run = &mut self.run;
        let mut time = || {
            let begun = Instant::now();
            while begun.elapsed() < WARM {
                run()?;
            }
            let begun = Instant::now();
            for _ in 0..repeats {
                run()?;
            }
            Ok(begun.elapsed().as_secs_f64() / f64::from(repeats))
        };
        match self.pool {
            Some(pool) => pool.install(time),
            None => time(),
        }
    }
}

/// Times of all rivals. In every round each has its turn: a pause, runs that are not timed, so that clock, caches and threads are awake, and those that are.
pub fn in_turns(settings: &Settings, rivals: &mut [Rival<'_>]) -> Result<Vec<Times>> {
    let (budget, least, most) = (settings.pick(0.3, 5.0), settings.pick(3, 9), settings.pick(5, 60));
    let mut repeats = Vec::with_capacity(rivals.len());
    for rival in rivals.iter_mut() {
        repeats.push((LEAST / rival.take(1)?.max(1e-7)).ceil().clamp(1.0, 1e4) as u32);
    }
    let mut seconds = vec![Vec::new(); rivals.len()];
    let (start, mut round) = (Instant::now(), 0);
    while round < least || (round < most && start.elapsed().as_secs_f64() < budget) {
        for ((rival, repeats), seconds) in rivals.iter_mut().zip(&repeats).zip(&mut seconds) {
            thread::sleep(SETTLE);
            seconds.push(rival.take(*repeats)?);
        }
        round += 1;
    }
    Ok(seconds.into_iter().map(Times::new).collect())
}

/// The power by which `y` grows with `x`: the slope of the line of least squares through their logarithms.
pub fn power(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    slope(&logs)
}

/// The slope of the line of least squares.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let (up, down) = points.iter().fold((0.0, 0.0), |(up, down), (x, y)| {
        let dx = x - mx;
        (up + dx * (y - my), down + dx * dx)
    });
    up / down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_slopes() {
        let times = Times::new(vec![5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!((times.median(), times.at(0.25), times.at(0.75)), (3.0, 2.0, 4.0));
        let squares: Vec<(f64, f64)> = (1..9).map(|x| (f64::from(x), 3.0 * f64::from(x * x))).collect();
        assert!((power(&squares) - 2.0).abs() < 1e-9);
        assert!((slope(&[(1.0, 5.0), (2.0, 7.0), (3.0, 9.0)]) - 2.0).abs() < 1e-9);
        assert!(Times::default().median().is_nan());
        // The machine halves its pace for the last two rounds: one is twice as fast as the other throughout.
        let [fast, slow] = [vec![2.0, 1.0, 4.0, 4.0], vec![4.0, 2.0, 8.0, 8.0]].map(Times::new);
        assert_eq!((slow.over(&fast), fast.over(&slow)), (2.0, 0.5));
        assert!(slow.over(&Times::default()).is_nan());
    }
}
