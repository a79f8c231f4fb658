//! Threads to work on photos: all of them for a photo that is alone, and for each of several a share of its own.
//!
//! Photos that share a pool hold each other up: a thread that waits for a part of its photo may take up another photo
//! meanwhile, and goes on with its own when that one is done.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineament::Threads;

/// The threads of a service.
pub struct Shares {
    all: Threads,
    /// Shares that no photo has; together they have as many threads as `all`.
    free: Mutex<Vec<Threads>>,
}

/// Threads that a photo has; dropping it gives them back.
pub struct Share {
    shares: Arc<Shares>,
    own: Option<Threads>,
}

impl Shares {
    /// These threads, and as many again in equal parts for up to so many photos at a time.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn new(all: Threads, photos: usize) -> io::Result<Arc<Self>> {
        let count = all.count();
        // A photo that is the only one always has all threads.
        let shares = if photos > 1 { photos.min(count) } else { 0 };
        let share = |index| Threads::unpinned(count / shares + usize::from(index < count % shares));
        let free = (0..shares).map(share).collect::<Result<_, _>>().map_err(io::Error::other)?;
        Ok(Arc::new(Self { all, free: Mutex::new(free) }))
    }

    /// The threads for a photo.
    pub fn share(self: &Arc<Self>, alone: bool) -> Share {
        let own = if alone { None } else { self.free().pop() };
        Share { shares: Arc::clone(self), own }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Threads>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// The threads to work on.
    pub fn threads(&self) -> Threads {
        self.own.as_ref().unwrap_or(&self.shares.all).clone()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.free().extend(self.own.take());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shares(threads: usize, photos: usize) -> Arc<Shares> {
        Shares::new(Threads::unpinned(threads).unwrap(), photos).unwrap()
    }

    #[test]
    fn a_photo_alone_has_all_threads_and_several_share_them() {
        let shares = shares(7, 3);
        let count = |share: &Share| share.threads().count();
        assert_eq!(count(&shares.share(true)), 7);
        let three = [(); 3].map(|()| shares.share(false));
        let mut counts = three.each_ref().map(count);
        counts.sort_unstable();
        assert_eq!(counts, [2, 2, 3]);
        drop(three);
        let again = [(); 3].map(|()| shares.share(false));
        assert_eq!(again.iter().map(count).sum::<usize>(), 7);
    }

    #[test]
    fn there_are_no_shares_of_one_thread_or_for_one_photo() {
        for (threads, photos) in [(1, 1), (4, 1)] {
            assert_eq!(shares(threads, photos).share(false).threads().count(), threads);
        }
    }
}
