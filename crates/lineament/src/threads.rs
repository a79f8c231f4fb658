//! The threads that a tagger works on.

use std::sync::Arc;

use rayon::{Scope, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::engine::Engine;

/// The threads that work is done on: those of a pool, or of whichever rayon pool the caller is in. A clone shares the pool.
#[derive(Clone, Debug, Default)]
pub struct Threads(Option<Arc<ThreadPool>>);

/// Why there are no threads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThreadsError {
    /// More than any machine has a use for; starting them would take minutes.
    #[error("{0} threads are asked for, but there can be {most} at most", most = Threads::MOST)]
    TooMany(usize),
    /// The system starts no more.
    #[error(transparent)]
    System(#[from] ThreadPoolBuildError),
}

impl Threads {
    /// Threads of a pool, at most.
    pub const MOST: usize = 1024;

    /// The rayon pool that each call comes from; rayon's global one where the caller is in none.
    pub fn of_caller() -> Self {
        Self::default()
    }

    /// A pool of `count` threads, or of one for each processor that may be used where `count` is zero, for nets that run
    /// on `engine`.
    ///
    /// Each thread stays on a processor of its own where there are as many threads as processors: after a pause Linux
    /// wakes a second thread beside the first and takes milliseconds to move it to the idle processor, longer than a face
    /// takes. With fewer threads the system is left to choose, since other programs may have done the same, and so it is
    /// where the engine has threads of its own, which would meet ours on the same processors.
    ///
    /// # Errors
    /// More than [`Threads::MOST`], or when the system gives no more threads.
    pub fn new(count: usize, engine: &Engine) -> Result<Self, ThreadsError> {
        let count = checked(count)?;
        // Those that this program may use. None on systems that keep them to themselves: then nothing is pinned.
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        let mut builder = ThreadPoolBuilder::new().num_threads(count);
        if count > 1 && count == processors.len() && engine.own_threads().is_none() {
            builder = builder.start_handler(move |thread| {
                if let Some(processor) = processors.get(thread) {
                    // Refused, it is as without: slower, and as right.
                    let _ = core_affinity::set_for_current(*processor);
                }
            });
        }
        Ok(Self(Some(Arc::new(builder.build()?))))
    }

    /// The same for work that starts threads of its own, as training does: none is bound to a processor, since what such a
    /// thread starts would be bound to the same one and work there in turns with it.
    ///
    /// # Errors
    /// As [`Threads::new`].
    pub fn unpinned(count: usize) -> Result<Self, ThreadsError> {
        Ok(Self(Some(Arc::new(ThreadPoolBuilder::new().num_threads(checked(count)?).build()?))))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match &self.0 {
            Some(pool) => pool.current_num_threads(),
            None => rayon::current_num_threads(),
        }
    }

    /// Does the work on one of these threads, and what it splits on all of them.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Calls `work` on this thread with a scope whose tasks run on these threads; returns when all are done.
    pub fn in_place_scope<'scope, R>(&self, work: impl FnOnce(&Scope<'scope>) -> R) -> R {
        match &self.0 {
            Some(pool) => pool.in_place_scope(work),
            None => rayon::in_place_scope(work),
        }
    }

    /// Starts the work on one of these threads and goes on.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        match &self.0 {
            Some(pool) => pool.spawn(work),
            None => rayon::spawn(work),
        }
    }
}

fn checked(count: usize) -> Result<usize, ThreadsError> {
    match count {
        // What a container may use can be less than the processors that it sees.
        0 => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
        1..=Threads::MOST => Ok(count),
        count => Err(ThreadsError::TooMany(count)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_the_threads_that_were_asked_for() {
        for count in [1, 2, 5] {
            assert_eq!(Threads::new(count, &Engine::Native).unwrap().count(), count);
        }
        assert!(Threads::new(0, &Engine::Native).unwrap().count() >= 1);
    }

    #[test]
    fn more_threads_than_any_machine_needs_are_refused_at_once() {
        for count in [Threads::MOST + 1, usize::MAX] {
            assert!(matches!(Threads::new(count, &Engine::Native), Err(ThreadsError::TooMany(_))));
            assert!(Threads::unpinned(count).unwrap_err().to_string().contains("1024 at most"));
        }
    }

    #[test]
    fn work_without_a_pool_stays_with_its_caller() {
        let (own, other) = (Threads::unpinned(3).unwrap(), Threads::of_caller());
        assert_eq!(own.install(|| other.install(rayon::current_num_threads)), 3);
        assert_eq!(own.install(|| other.count()), 3);
        let here = std::thread::current().id();
        assert_eq!(other.install(|| std::thread::current().id()), here);
        assert_eq!(own.in_place_scope(|_| std::thread::current().id()), here);
    }

    #[test]
    fn each_thread_of_a_full_pool_has_a_processor_of_its_own() {
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        let refused = |processor: &core_affinity::CoreId| {
            let processor = *processor;
            !std::thread::spawn(move || core_affinity::set_for_current(processor)).join().unwrap()
        };
        if processors.len() < 2 || processors.iter().any(refused) {
            println!("this system has one processor or binds no thread: nothing to test");
            return;
        }
        let threads = Threads::new(processors.len(), &Engine::Native).unwrap();
        let seen = threads.install(|| rayon::broadcast(|_| core_affinity::get_core_ids().unwrap()));
        assert!(seen.iter().all(|own| own.len() == 1), "{seen:?}");
        for processor in processors {
            assert_eq!(seen.iter().filter(|own| own.contains(&processor)).count(), 1, "{seen:?}");
        }
    }

    #[test]
    fn threads_that_unbound_ones_start_go_where_they_like() {
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        let started =
            || std::thread::spawn(|| core_affinity::get_core_ids().unwrap_or_default()).join().unwrap();
        assert_eq!(Threads::unpinned(processors.len()).unwrap().install(started), processors);
        assert_eq!(Threads::unpinned(3).unwrap().count(), 3);
    }

    #[test]
    fn fewer_threads_than_processors_go_where_they_like() {
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        let threads = Threads::new(1, &Engine::Native).unwrap();
        let seen = threads.install(|| core_affinity::get_core_ids().unwrap_or_default());
        assert_eq!(seen, processors);
    }
}
