//! Work on many items on several threads, handed out in order, with bounded look-ahead.
//!
//! [`Loader`] runs any function; [`Batches`] groups its results and sets pictures aside that could not be read. What
//! comes out depends on the items and the function only, never on the number of threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rand::seq::SliceRandom;

use crate::augment::{Key, purpose};

struct State<T> {
    /// The next item that no thread has taken.
    next: usize,
    /// The next item to hand out.
    wanted: usize,
    /// Finished items that wait for their turn.
    done: BTreeMap<usize, T>,
    /// Nobody wants more, or a thread panicked.
    stop: bool,
}

struct Shared<I, T, F> {
    items: Vec<I>,
    work: F,
    ahead: usize,
    state: Mutex<State<T>>,
    /// A thread may take another item.
    room: Condvar,
    /// An item is done.
    ready: Condvar,
}

impl<I, T, F> Shared<I, T, F> {
    /// A poisoned lock means that a thread panicked; the state is still whole, and the panic is passed on by the iterator.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An iterator over `work(index, &item)` for all items in order. No more than `ahead` results are held or being made at any time,
/// which bounds the memory. Dropping it stops the threads.
pub struct Loader<I, T, F> {
    shared: Arc<Shared<I, T, F>>,
    threads: Vec<JoinHandle<()>>,
}

impl<I, T, F> Loader<I, T, F>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: Fn(usize, &I) -> T + Send + Sync + 'static,
{
    /// Starts `threads` threads (at least one) that work up to `ahead` items before the one that is handed out next (at
    /// least one a thread).
    pub fn new(items: Vec<I>, threads: usize, ahead: usize, work: F) -> Self {
        let threads = threads.clamp(1, items.len().max(1));
        let shared = Arc::new(Shared {
            items,
            work,
            ahead: ahead.max(threads),
            state: Mutex::new(State { next: 0, wanted: 0, done: BTreeMap::new(), stop: false }),
            room: Condvar::new(),
            ready: Condvar::new(),
        });
        let threads = (0..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || run(&shared))
            })
            .collect();
        Self { shared, threads }
    }

    /// How many items are still to come.
    pub fn remaining(&self) -> usize {
        self.shared.items.len() - self.shared.lock().wanted
    }
}

fn run<I, T, F: Fn(usize, &I) -> T>(shared: &Shared<I, T, F>) {
    /// Wakes everybody when the work panics: else the iterator would wait for ever for an item that never comes.
    struct Alarm<'a, I, T, F>(&'a Shared<I, T, F>);
    impl<I, T, F> Drop for Alarm<'_, I, T, F> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.lock().stop = true;
                self.0.ready.notify_all();
                self.0.room.notify_all();
            }
        }
    }
    let _alarm = Alarm(shared);
    loop {
        let index = {
            let mut state = shared.lock();
            while !state.stop && state.next < shared.items.len() && state.next >= state.wanted + shared.ahead
            {
                state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.stop {
                return;
            }
            let index = state.next;
            state.next += 1;
            index
        };
        let Some(item) = shared.items.get(index) else { return };
        let result = (shared.work)(index, item);
        shared.lock().done.insert(index, result);
        shared.ready.notify_all();
    }
}

impl<I, T, F> Iterator for Loader<I, T, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let mut state = self.shared.lock();
        if state.wanted >= self.shared.items.len() {
            return None;
        }
        let wanted = state.wanted;
        let found = loop {
            if let Some(found) = state.done.remove(&wanted) {
                break found;
            }
            if state.stop {
                drop(state);
                self.pass_panic_on();
                return None;
            }
            state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.wanted += 1;
        drop(state);
        self.shared.room.notify_all();
        Some(found)
    }
}

impl<I, T, F> Loader<I, T, F> {
    fn pass_panic_on(&mut self) {
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl<I, T, F> Drop for Loader<I, T, F> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // Whoever drops the iterator half-way does not want its results, not even a panic.
            let _ = thread.join();
        }
    }
}

/// Some results in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T, E> {
    /// Number of the batch, from 0.
    pub number: usize,
    /// Place of the item and its result, in order; without the ones that failed.
    pub items: Vec<(usize, T)>,
    /// Place of the ones that failed, and why.
    pub skipped: Vec<(usize, E)>,
}

/// An iterator over batches of a [`Loader`]'s results. Batch `k` always covers the items from `k * size`: one that
/// failed leaves a gap in its batch and moves nothing, so that a training can be resumed at a batch's number.
pub struct Batches<I, T, E, F> {
    loader: Loader<I, Result<T, E>, F>,
    size: usize,
    number: usize,
}

impl<I, T, E, F> Batches<I, T, E, F>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(usize, &I) -> Result<T, E> + Send + Sync + 'static,
{
    /// Batches of `size` (at least one); threads work up to two batches ahead.
    pub fn new(items: Vec<I>, size: usize, threads: usize, work: F) -> Self {
        let size = size.max(1);
        Self { loader: Loader::new(items, threads, size.saturating_mul(2), work), size, number: 0 }
    }

    /// How many batches are still to come.
    pub fn remaining(&self) -> usize {
        self.loader.remaining().div_ceil(self.size)
    }
}

impl<I, T, E, F> Iterator for Batches<I, T, E, F> {
    type Item = Batch<T, E>;

    fn next(&mut self) -> Option<Batch<T, E>> {
        let mut batch =
            Batch { number: self.number, items: Vec::with_capacity(self.size), skipped: Vec::new() };
        let first = self.number * self.size;
        let mut seen = 0;
        for (place, result) in (first..).zip(self.loader.by_ref().take(self.size)) {
            seen += 1;
            match result {
                Ok(item) => batch.items.push((place, item)),
                Err(error) => batch.skipped.push((place, error)),
            }
        }
        self.number += 1;
        (seen > 0).then_some(batch)
    }
}

/// The order of `count` items in an epoch: the same for the same seed and epoch.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut Key { seed, epoch, index: 0 }.stream(purpose::ORDER));
    order
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn batches(count: usize, size: usize, threads: usize) -> Vec<Batch<u64, String>> {
        let items: Vec<u64> = (0..count as u64).collect();
        Batches::new(items, size, threads, |index, item| {
            if index % 3 == 0 {
                std::thread::sleep(Duration::from_micros(300));
            }
            if item % 7 == 5 { Err(format!("{item}.jpg: broken")) } else { Ok(item * item) }
        })
        .collect()
    }

    #[test]
    fn one_thread_and_four_give_the_same_batches_in_order() {
        let one = batches(100, 8, 1);
        assert_eq!(one, batches(100, 8, 4));
        assert_eq!(one.len(), 13);
        let second = one.get(1).unwrap();
        assert_eq!(second.number, 1);
        assert_eq!(second.items.iter().map(|i| i.0).collect::<Vec<_>>(), [8, 9, 10, 11, 13, 14, 15]);
        assert_eq!(second.items.first(), Some(&(8, 64)));
        assert_eq!(second.skipped, [(12, "12.jpg: broken".to_owned())]);
    }

    #[test]
    fn no_more_results_are_held_than_asked_for() {
        static ALIVE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                ALIVE.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let loader = Loader::new(vec![(); 200], 4, 6, |_, ()| {
            let alive = ALIVE.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(alive, Ordering::SeqCst);
            Counted
        });
        assert_eq!(loader.remaining(), 200);
        let mut seen = 0;
        for held in loader {
            // A slow consumer: the threads have all the time to run ahead.
            std::thread::sleep(Duration::from_micros(200));
            drop(held);
            seen += 1;
        }
        assert_eq!(seen, 200);
        // Six ahead and the one that the consumer holds.
        assert!(MOST.load(Ordering::SeqCst) <= 7, "{}", MOST.load(Ordering::SeqCst));
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn dropping_half_way_stops_the_threads() {
        let worked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&worked);
        let mut loader = Loader::new(vec![(); 1000], 3, 5, move |index, ()| {
            counter.fetch_add(1, Ordering::SeqCst);
            index
        });
        assert_eq!(loader.next(), Some(0));
        drop(loader);
        assert!(worked.load(Ordering::SeqCst) <= 9);
        assert_eq!(Arc::strong_count(&worked), 1);
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let loader = Loader::new(vec![0, 1, 2], 2, 2, |index, _| {
            if index == 1 {
                panic!("worker broke");
            }
            index
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| loader.count()));
        assert!(result.is_err());
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(batches(0, 4, 2), []);
        assert_eq!(Loader::new(Vec::<u8>::new(), 0, 0, |i, _| i).count(), 0);
    }

    proptest! {
        #[test]
        fn an_epochs_order_is_a_permutation_that_its_seed_decides(count in 0..300_usize, seed: u64, epoch: u64) {
            let order = shuffled(count, seed, epoch);
            prop_assert_eq!(&order, &shuffled(count, seed, epoch));
            let mut sorted = order;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_differ() {
        assert_ne!(shuffled(50, 1, 0), shuffled(50, 1, 1));
    }
}
