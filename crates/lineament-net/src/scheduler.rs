//! Steps that are worked through one after the other, each by all threads that are free.
//!
//! The thread that asks leads from step to step. Others join in where it stands, take units of that step and wait awake for the next: putting a thread
//! to sleep and waking it takes longer than most steps do. Nobody is waited for but those who have taken a unit, so a thread that comes late, or never,
//! costs nothing. The leader takes units from the front and the others from the back, so that of a map, whose rows are units, a processor mostly reads the
//! half that it wrote itself: what another one wrote takes it as long as some sums.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What the steps read and write of one memory. Each step writes one stretch of it, unit by unit, and reads another; checked when it is made.
#[derive(Debug)]
pub(crate) struct Schedule {
    steps: Vec<StepRanges>,
    len: usize,
}

#[derive(Debug)]
struct StepRanges {
    read: Range<usize>,
    written: Range<usize>,
    /// Where the parts of the units begin; each ends where the next begins, the last one with the stretch.
    starts: Vec<usize>,
}

impl Schedule {
    /// Of `[read, written]` and where the units' parts begin, a step each.
    ///
    /// # Panics
    /// When stretches or parts overlap or are out of order: that would be a mistake in a plan, not in an input.
    pub(crate) fn new(steps: impl Iterator<Item = ([Range<usize>; 2], Vec<usize>)>) -> Self {
        let (mut parts, mut len) = (Vec::new(), 0);
        for (step, ([read, written], starts)) in steps.enumerate() {
            assert!(read.start <= read.end && written.start <= written.end, "step {step} goes backwards");
            let apart = read.end <= written.start || written.end <= read.start;
            assert!(apart, "step {step} writes what it reads");
            let inside = starts.iter().all(|start| written.start <= *start && *start <= written.end);
            assert!(inside && starts.is_sorted(), "units of step {step} are out of place");
            len = len.max(read.end).max(written.end);
            parts.push(StepRanges { read, written, starts });
        }
        Self { steps: parts, len }
    }

    /// The most units of a step: more threads find nothing to do.
    pub(crate) fn widest(&self) -> usize {
        self.steps.iter().map(|part| part.starts.len()).max().unwrap_or(0)
    }
}

impl StepRanges {
    fn of_unit(&self, unit: usize) -> Range<usize> {
        self.starts[unit]..self.starts.get(unit + 1).copied().unwrap_or(self.written.end)
    }
}

/// What the steps do.
pub(crate) trait Steps: Sync {
    /// What has to be done to the memory before the first step. Others are called first, so that it is done while they come.
    fn begin(&self, memory: &mut [f32]);

    /// What has to be done to the written stretch before the units.
    fn prepare(&self, step: usize, written: &mut [f32]);

    /// Does a unit: `part` is what it writes.
    fn unit(&self, step: usize, unit: usize, read: &[f32], part: &mut [f32]);
}

/// Runs all steps on the calling thread and up to `threads - 1` others of its rayon pool.
///
/// # Panics
/// When `memory` is too small for `parts`.
pub(crate) fn run(parts: &Schedule, steps: &impl Steps, memory: &mut [f32], threads: usize) {
    assert!(parts.len <= memory.len(), "parts of {} values in a memory of {}", parts.len, memory.len());
    let threads = threads.min(parts.widest());
    if threads < 2 || parts.widest() >= WorkCursor::UNITS || parts.steps.len() >= WorkCursor::STEPS {
        return sequential(parts, steps, memory);
    }
    let pass = Pass {
        parts: &parts.steps,
        steps,
        len: memory.len(),
        memory: memory.as_mut_ptr(),
        cursor: CachePadded(AtomicU64::new(WorkCursor::START.0)),
        done: CachePadded(AtomicUsize::new(0)),
        failed: AtomicBool::new(false),
        held: PhantomData,
    };
    rayon::join(|| pass.lead(), || helpers(&pass, threads - 1));
}

fn helpers<S: Steps>(pass: &Pass<'_, S>, count: usize) {
    match count {
        0 => {}
        1 => pass.help(),
        _ => {
            rayon::join(|| pass.help(), || helpers(pass, count - 1));
        }
    }
}

/// The plain twin: unit after unit.
fn sequential(parts: &Schedule, steps: &impl Steps, memory: &mut [f32]) {
    steps.begin(memory);
    for (step, part) in parts.steps.iter().enumerate() {
        let StepRanges { read, written, starts } = part;
        let (read, out) = if read.end <= written.start {
            let (low, high) = memory.split_at_mut(written.start);
            (&low[read.clone()], &mut high[..written.len()])
        } else {
            let (low, high) = memory.split_at_mut(read.start);
            (&high[..read.len()], &mut low[written.clone()])
        };
        steps.prepare(step, out);
        for unit in 0..starts.len() {
            let Range { start, end } = part.of_unit(unit);
            steps.unit(step, unit, read, &mut out[start - written.start..end - written.start]);
        }
    }
}

/// What is under way, in one word: the step, and how many of its units are taken from the front and from the back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WorkCursor(u64);

impl WorkCursor {
    /// The turns before the first step and after the last.
    const START: Self = Self(u64::MAX - 1);
    const END: Self = Self(u64::MAX);
    /// Bits of each count.
    const BITS: u32 = 22;
    /// What a word has no room for: so many units, and so many steps.
    const UNITS: usize = 1 << Self::BITS;
    const STEPS: usize = (1 << (u64::BITS - 2 * Self::BITS)) - 1;

    fn at(step: usize) -> Self {
        Self((step as u64) << (2 * Self::BITS))
    }

    fn step(self) -> usize {
        (self.0 >> (2 * Self::BITS)) as usize
    }

    fn taken(self) -> [usize; 2] {
        [self.0 >> Self::BITS, self.0].map(|count| count as usize & (Self::UNITS - 1))
    }

    /// The next of `units`, from the front or the back, and the cursor without it.
    fn next(self, units: usize, front: bool) -> Option<(usize, Self)> {
        let [before, behind] = self.taken();
        (before + behind < units).then(|| {
            if front {
                (before, Self(self.0 + Self::UNITS as u64))
            } else {
                (units - 1 - behind, Self(self.0 + 1))
            }
        })
    }
}

/// Looks at a counter before the processor is offered to others: there may be more threads than processors.
const PATIENCE: u32 = 4000;

/// In lines of the cache of its own: what stands beside it may be written without taking it from a processor that looks at it.
#[repr(align(128))]
struct CachePadded<T>(T);

/// One pass that several threads work on.
struct Pass<'a, S> {
    parts: &'a [StepRanges],
    steps: &'a S,
    /// Holds all parts.
    memory: *mut f32,
    len: usize,
    /// A [`WorkCursor`].
    cursor: CachePadded<AtomicU64>,
    /// Units that others than the leader have done, of all steps.
    done: CachePadded<AtomicUsize>,
    /// A unit panicked: the pass will not end.
    failed: AtomicBool,
    held: PhantomData<&'a mut [f32]>,
}

// SAFETY: the memory is borrowed for as long as the pass lives, and its parts are handed out as `Pass::work` says.
unsafe impl<S: Steps> Sync for Pass<'_, S> {}

impl<S: Steps> Pass<'_, S> {
    fn lead(&self) {
        // Helpers leave, too, when a unit panics here.
        let _over = OnDrop(|| self.cursor.0.store(WorkCursor::END.0, Ordering::Release));
        // SAFETY: the memory is that of `run`, and before the first step nobody else holds any of it.
        self.steps.begin(unsafe { std::slice::from_raw_parts_mut(self.memory, self.len) });
        let mut by_others = 0;
        for (step, part) in self.parts.iter().enumerate() {
            let Range { start, end } = part.written;
            // SAFETY: the stretch lies in the memory. Every unit of the step before is done and none of this one is to be had yet, so nobody else holds any
            // of it.
            let out = unsafe { std::slice::from_raw_parts_mut(self.memory.add(start), end - start) };
            self.steps.prepare(step, out);
            self.cursor.0.store(WorkCursor::at(step).0, Ordering::Release);
            by_others += part.starts.len();
            while let Some((step, unit)) = self.take(true) {
                self.work(step, unit);
                by_others -= 1;
            }
            self.wait(|| self.done.0.load(Ordering::Acquire) >= by_others);
            assert!(!self.failed.load(Ordering::Acquire), "a unit of step {step} panicked on another thread");
        }
    }

    fn help(&self) {
        let mut waited = 0;
        while self.cursor.0.load(Ordering::Acquire) != WorkCursor::END.0 {
            match self.take(false) {
                Some((step, unit)) => {
                    let failed = OnDrop(|| self.failed.store(true, Ordering::Release));
                    self.work(step, unit);
                    std::mem::forget(failed);
                    // Release: whoever sees the unit done sees what it wrote.
                    self.done.0.fetch_add(1, Ordering::Release);
                    waited = 0;
                }
                None => pause(&mut waited),
            }
        }
    }

    fn wait(&self, ready: impl Fn() -> bool) {
        let mut waited = 0;
        while !ready() && !self.failed.load(Ordering::Acquire) {
            pause(&mut waited);
        }
    }

    /// A unit of the step that the leader stands at, which nobody else gets.
    fn take(&self, front: bool) -> Option<(usize, usize)> {
        let mut cursor = WorkCursor(self.cursor.0.load(Ordering::Acquire));
        loop {
            if cursor == WorkCursor::START || cursor == WorkCursor::END {
                return None;
            }
            let step = cursor.step();
            let (unit, next) = cursor.next(self.parts.get(step)?.starts.len(), front)?;
            // Acquire: what the leader and all units before wrote is seen.
            match self.cursor.0.compare_exchange_weak(cursor.0, next.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some((step, unit)),
                Err(now) => cursor = WorkCursor(now),
            }
        }
    }

    /// Does a unit that [`Pass::take`] gave.
    fn work(&self, step: usize, unit: usize) {
        let part = &self.parts[step];
        let (read, own) = (part.read.clone(), part.of_unit(unit));
        // SAFETY: `Schedule` says that what a step reads and writes lies apart and that the parts of its units follow one another, and `run` that all of it lies in
        // the memory. `take` gives every unit once, and the leader goes on only when all are done.
        let (read, own) = unsafe {
            let read = std::slice::from_raw_parts(self.memory.add(read.start), read.len());
            (read, std::slice::from_raw_parts_mut(self.memory.add(own.start), own.len()))
        };
        self.steps.unit(step, unit, read, own);
    }
}

fn pause(waited: &mut u32) {
    *waited += 1;
    if *waited < PATIENCE {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Runs something when it goes, however it goes.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STEPS: usize = 60;

    #[test]
    fn units_are_taken_from_both_ends_until_they_meet() {
        let last = WorkCursor::STEPS - 1;
        let mut cursor = WorkCursor::at(last);
        let mut units = Vec::new();
        for front in [true, false, false, true] {
            let (unit, next) = cursor.next(4, front).unwrap();
            units.push(unit);
            cursor = next;
        }
        assert_eq!(units, [0, 3, 2, 1]);
        assert_eq!((cursor.step(), cursor.taken()), (last, [2, 2]));
        assert!(cursor != WorkCursor::START && cursor != WorkCursor::END);
        assert_eq!(cursor.next(4, true), None);
        assert_eq!(cursor.next(4, false), None);
    }

    /// Two halves; each step adds values of the one, and its own number, to the other.
    struct BackAndForth {
        half: usize,
        unit: usize,
        panics: bool,
    }

    impl Steps for BackAndForth {
        fn begin(&self, memory: &mut [f32]) {
            (0..).zip(memory).for_each(|(i, value)| *value = i as f32);
        }

        fn prepare(&self, _: usize, written: &mut [f32]) {
            written[0] += 1.0;
        }

        fn unit(&self, step: usize, unit: usize, read: &[f32], part: &mut [f32]) {
            assert!(!self.panics || step < 5 || unit != 1, "as told");
            for (at, value) in part.iter_mut().enumerate() {
                let from = (unit * self.unit + at + step) % self.half;
                *value = (*value + read[from] + step as f32) % 1024.0;
            }
        }
    }

    fn after(steps: &BackAndForth, threads: usize) -> Vec<f32> {
        let halves = [0..steps.half, steps.half..2 * steps.half];
        let parts = Schedule::new((0..STEPS).map(|step| {
            let [low, high] = halves.clone();
            let ends = if step % 2 == 0 { [low, high] } else { [high, low] };
            let starts = ends[1].clone().step_by(steps.unit).collect();
            (ends, starts)
        }));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut memory = vec![0.0; 2 * steps.half];
        pool.install(|| run(&parts, steps, &mut memory, threads));
        memory
    }

    #[test]
    fn any_number_of_threads_does_what_one_does() {
        for (half, unit) in [(1, 1), (7, 2), (64, 3), (50, 64)] {
            let steps = BackAndForth { half, unit, panics: false };
            let expected = after(&steps, 1);
            for threads in [2, 3, 7] {
                assert_eq!(after(&steps, threads), expected, "{half} by {unit} on {threads}");
            }
        }
    }

    #[test]
    fn a_panic_ends_the_pass_on_all_threads() {
        let steps = BackAndForth { half: 64, unit: 3, panics: true };
        for threads in [1, 2, 7] {
            let caught = std::panic::catch_unwind(|| after(&steps, threads));
            assert!(caught.is_err(), "{threads}");
        }
    }

    #[test]
    #[should_panic(expected = "writes what it reads")]
    fn stretches_that_overlap_are_refused() {
        Schedule::new([([0..3, 2..4], vec![2])].into_iter());
    }

    #[test]
    #[should_panic(expected = "out of place")]
    fn units_out_of_order_are_refused() {
        Schedule::new([([0..2, 2..4], vec![3, 2])].into_iter());
    }

    #[test]
    #[should_panic(expected = "in a memory of 3")]
    fn a_memory_that_is_too_small_is_refused() {
        let parts = Schedule::new([([0..2, 2..4], vec![2])].into_iter());
        run(&parts, &BackAndForth { half: 2, unit: 2, panics: false }, &mut [0.0; 3], 2);
    }
}
