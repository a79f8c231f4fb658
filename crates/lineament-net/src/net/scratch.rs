//! Buffers that outlive a forward pass, so that the next one finds its memory ready.

use std::sync::{Mutex, PoisonError};

/// Buffers at rest beyond this many are given back to the allocator.
const AT_REST: usize = 64;

/// A shelf of things to borrow. Taking and giving back cost a lock each; the work in between is long.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    things: Mutex<Vec<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { things: Mutex::new(Vec::new()) }
    }
}

impl<T: Default> Shelf<T> {
    /// Runs `f` with a thing off the shelf, or a new one.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // A panic elsewhere leaves only scratch values behind, which the next user overwrites.
        let lock = || self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = lock().pop();
        let mut thing = taken.unwrap_or_default();
        let result = f(&mut thing);
        let mut things = lock();
        if things.len() < AT_REST {
            things.push(thing);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::aligned::Aligned;

    #[test]
    fn what_was_given_back_is_taken_again() {
        let shelf = Shelf::<Aligned>::default();
        let first = shelf.with(|buffer| buffer.grown(100).as_ptr());
        let second = shelf.with(|buffer| buffer.grown(60).as_ptr());
        assert_eq!(first, second);
    }
}
