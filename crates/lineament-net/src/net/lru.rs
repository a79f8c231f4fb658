//! Things that were made for a key and may be asked for again.

use std::sync::{Arc, Mutex, PoisonError};

/// How many are kept. A pyramid over photos of many sizes needs some dozens.
const KEPT: usize = 64;

/// The things that were asked for last.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    /// The latest used stand last.
    things: Mutex<Vec<(K, Arc<V>)>>,
}

impl<K, V> Default for Lru<K, V> {
    fn default() -> Self {
        Self { things: Mutex::default() }
    }
}

impl<K: PartialEq, V> Lru<K, V> {
    /// What was made for `key`, if it is still there.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let at = things.iter().position(|(known, _)| known == key)?;
        // What is used stays: it moves to the end.
        things[at..].rotate_left(1);
        things.last().map(|(_, thing)| Arc::clone(thing))
    }

    /// What was made for `key`, from an earlier call or now; `None` when it can't be made.
    pub(crate) fn get_or(&self, key: K, make: impl FnOnce() -> Option<V>) -> Option<Arc<V>> {
        if let Some(known) = self.get(&key) {
            return Some(known);
        }
        let made = Arc::new(make()?);
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        if things.len() >= KEPT {
            things.remove(0);
        }
        things.push((key, Arc::clone(&made)));
        Some(made)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept() {
        let recent = Lru::<usize, usize>::default();
        assert_eq!(recent.get_or(0, || None), None);
        for key in 0..KEPT + 5 {
            assert_eq!(*recent.get_or(key, || Some(2 * key)).unwrap(), 2 * key);
            // The first is asked for again and again.
            assert_eq!(*recent.get(&0).unwrap(), 0);
        }
        assert_eq!(*recent.get_or(0, || None).unwrap(), 0);
        assert_eq!(recent.get(&1), None);
        assert!(recent.get(&(KEPT + 4)).is_some());
    }
}
