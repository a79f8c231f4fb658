//! Buffers that outlive a forward pass, so that the next one finds its memory ready.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Buffers at rest beyond this many are given back to the allocator.
const AT_REST: usize = 64;

/// A pool of things to borrow. Taking and giving back cost a lock each; the work in between is long. A thread gets what it had before where it can: what
/// another one wrote lies in that one's cache.
#[derive(Debug)]
pub(crate) struct BufferPool<T> {
    /// With who had them last.
    things: Mutex<Vec<(ThreadId, T)>>,
}

impl<T> Default for BufferPool<T> {
    fn default() -> Self {
        Self { things: Mutex::new(Vec::new()) }
    }
}

impl<T: Default> BufferPool<T> {
    /// Runs `f` with a thing off the pool, or a new one.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // A panic elsewhere leaves only scratch values behind, which the next user overwrites.
        let lock = || self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let me = thread::current().id();
        let taken = {
            let mut things = lock();
            let own = things.iter().rposition(|(last, _)| *last == me);
            own.map(|at| things.swap_remove(at)).or_else(|| things.pop())
        };
        let mut thing = taken.map(|(_, thing)| thing).unwrap_or_default();
        let result = f(&mut thing);
        let mut things = lock();
        if things.len() < AT_REST {
            things.push((me, thing));
        }
        result
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernel::aligned::Aligned;

    #[test]
    fn what_was_given_back_is_taken_again() {
        let pool = BufferPool::<Aligned>::default();
        let first = pool.with(|buffer| buffer.grown(100).as_ptr());
        let second = pool.with(|buffer| buffer.grown(60).as_ptr());
        assert_eq!(first, second);
    }

    #[test]
    fn a_thread_gets_its_own_again() {
        let pool = BufferPool::<Vec<u8>>::default();
        // What this thread has is out while the other asks, so that there are two.
        pool.with(|here| {
            here.push(1);
            std::thread::scope(|scope| scope.spawn(|| pool.with(|there| there.push(2))).join().unwrap());
        });
        let mine = |value| pool.with(|thing| (thing[0], thing.push(value))).0;
        assert_eq!([mine(3), mine(4)], [1, 1]);
        // A stranger takes any.
        let theirs = std::thread::scope(|scope| scope.spawn(|| pool.with(|thing| thing[0])).join().unwrap());
        assert!([1, 2].contains(&theirs));
    }
}
