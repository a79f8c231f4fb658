//! A bounded line of pictures: who finds it full is told so at once, and who leaves frees the place.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much a new batch says about the pace.
const NEWS: f64 = 0.2;

/// Things that wait, in the order they came.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    places: usize,
    patience: Duration,
    batch: usize,
}

struct State<T> {
    waiting: VecDeque<(u64, T)>,
    next: u64,
    /// Things that were taken and are not finished.
    under_way: usize,
    /// When the last batch was taken.
    taken: Option<Instant>,
    /// Seconds a thing, over the last batches; unknown until one is done.
    pace: Option<f64>,
    closed: bool,
}

/// Why one may not join.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refused {
    /// There are too many before; the line needs so long to get through.
    Full(Duration),
    /// Nothing is taken any more.
    Closed,
}

/// A place in the line; dropping it gives it up.
pub struct Place<T> {
    queue: Arc<Queue<T>>,
    ticket: u64,
}

impl<T> Queue<T> {
    /// An empty line of so many places, which nobody joins who would wait longer than `patience`; but a batch may always wait, or
    /// who works on them would run out of things where each takes long. Until a batch is done nobody knows how long one takes, and no
    /// more than a batch may wait.
    pub fn new(places: usize, patience: Duration, batch: usize) -> Arc<Self> {
        let state =
            State { waiting: VecDeque::new(), next: 0, under_way: 0, taken: None, pace: None, closed: false };
        Arc::new(Self { state: Mutex::new(state), ready: Condvar::new(), places, patience, batch })
    }

    /// Joins with all things or none.
    pub fn join(self: &Arc<Self>, things: Vec<T>) -> Result<Vec<Place<T>>, Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        let wait = state.wait();
        let too_long = wait.is_none_or(|wait| wait > self.patience) && state.waiting.len() >= self.batch;
        if state.waiting.len() + things.len() > self.places || too_long {
            // What is under way for the first time may well take as long again as it has taken.
            let so_far = || state.taken.map_or(Duration::ZERO, |taken| taken.elapsed());
            return Err(Refused::Full(wait.unwrap_or_else(so_far)));
        }
        let mut places = Vec::with_capacity(things.len());
        for thing in things {
            let ticket = state.next;
            state.next += 1;
            state.waiting.push_back((ticket, thing));
            places.push(Place { queue: Arc::clone(self), ticket });
        }
        drop(state);
        self.ready.notify_one();
        Ok(places)
    }

    /// Waits for things and takes those that came first, `most` at most; `None` once the line is closed and empty.
    pub fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.waiting.len().min(most.max(1));
        state.under_way += count;
        state.taken = Some(Instant::now());
        Some(state.waiting.drain(..count).map(|(_, thing)| thing).collect())
    }

    /// Counts a thing that was taken as done.
    pub fn finished(&self) {
        let mut state = self.lock();
        state.under_way = state.under_way.saturating_sub(1);
    }

    /// Learns from a batch how long things take.
    pub fn paced(&self, things: usize, took: Duration) {
        let mut state = self.lock();
        let pace = took.as_secs_f64() / things.max(1) as f64;
        state.pace = Some(state.pace.map_or(pace, |known| known * (1.0 - NEWS) + pace * NEWS));
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Lets nobody join any more; those that wait are still taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// How long who joins now would wait, if anybody knows.
    fn wait(&self) -> Option<Duration> {
        // Of those under way, half are done on average.
        let ahead = self.waiting.len() as f64 + self.under_way as f64 / 2.0;
        self.pace.map(|pace| Duration::from_secs_f64(ahead * pace))
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        // Tickets ascend.
        if let Ok(at) = state.waiting.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket) {
            state.waiting.remove(at);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn things_are_taken_in_their_order_and_a_full_line_refuses() {
        let queue = Queue::new(3, LONG, 3);
        let _first = queue.join(vec![1, 2]).unwrap();
        assert!(matches!(queue.join(vec![3, 4]), Err(Refused::Full(_))), "all or none");
        let _second = queue.join(vec![3]).unwrap();
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.take(2).unwrap(), [1, 2]);
        assert_eq!(queue.take(2).unwrap(), [3]);
    }

    #[test]
    fn who_leaves_frees_the_place() {
        let queue = Queue::new(2, LONG, 2);
        let mut places = queue.join(vec![1, 2]).unwrap();
        drop(places.remove(0));
        let _third = queue.join(vec![3]).unwrap();
        assert_eq!(queue.take(9).unwrap(), [2, 3]);
        drop(places);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn who_would_wait_too_long_is_refused_with_the_time_but_a_batch_may_always_wait() {
        let queue = Queue::new(100, Duration::from_secs(3), 2);
        queue.paced(2, Duration::from_secs(8));
        let _first = queue.join(vec![()]).unwrap();
        let _second = queue.join(vec![()]).unwrap();
        assert_eq!(queue.join(vec![()]).err(), Some(Refused::Full(Duration::from_secs(8))));
        assert_eq!(queue.take(2).unwrap().len(), 2);
        assert!(queue.join(vec![()]).is_ok());
        queue.finished();
        queue.finished();
    }

    #[test]
    fn before_the_pace_is_known_a_batch_waits_and_others_are_told_what_the_first_has_taken() {
        let queue = Queue::new(100, LONG, 2);
        let _first = queue.join(vec![1]).unwrap();
        assert_eq!(queue.take(2), Some(vec![1]));
        let _waiting = queue.join(vec![2, 3, 4]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        match queue.join(vec![5]).err() {
            Some(Refused::Full(wait)) => assert!(wait >= Duration::from_millis(20), "{wait:?}"),
            other => unreachable!("{other:?}"),
        }
        queue.finished();
        queue.paced(1, Duration::from_millis(30));
        assert!(queue.join(vec![5]).is_ok());
    }

    #[test]
    fn a_closed_line_is_emptied_and_ends() {
        let queue = Queue::new(2, LONG, 1);
        let _places = queue.join(vec![1]).unwrap();
        queue.close();
        assert_eq!(queue.join(vec![2]).err(), Some(Refused::Closed));
        assert_eq!(queue.take(2), Some(vec![1]));
        assert_eq!(queue.take(2), None);
    }
}
