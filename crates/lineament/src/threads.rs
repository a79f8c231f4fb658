//! Threads to call the library on.

use crate::engine::Engine;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A pool of `count` threads, or of one for each processor that may be used where `count` is zero.
///
/// The library works on whatever rayon pool it is called in. This one has each of its threads stay on a processor of its own where there are as many
/// threads as processors: after a pause Linux wakes a second thread beside the first and takes milliseconds to move it to the idle processor, longer than
/// a face takes. With fewer threads the system is left to choose, since other programs may have done the same, and so it is where the engine has threads
/// of its own, which would meet ours on the same processors.
///
/// # Errors
/// When the system gives no more threads.
pub fn pool(count: usize, engine: &Engine) -> Result<ThreadPool, ThreadPoolBuildError> {
    let count = or_all(count);
    // Those that this program may use. None on systems that don't tell: then nothing is pinned.
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
    builder.build()
}

/// The same for work that starts threads of its own, as training does: none is bound to a processor, since what such a thread starts would be bound to
/// the same one and work there in turns with it.
///
/// # Errors
/// When the system gives no more threads.
pub fn unbound(count: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(or_all(count)).build()
}

fn or_all(count: usize) -> usize {
    match count {
        // What a container may use can be less than the processors that it sees.
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_the_threads_that_were_asked_for() {
        for count in [1, 2, 5] {
            assert_eq!(pool(count, &Engine::Native).unwrap().current_num_threads(), count);
        }
        assert!(pool(0, &Engine::Native).unwrap().current_num_threads() >= 1);
    }

    #[test]
    fn each_thread_of_a_full_pool_has_a_processor_of_its_own() {
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        if processors.len() < 2 {
            return;
        }
        let seen = pool(processors.len(), &Engine::Native)
            .unwrap()
            .broadcast(|_| core_affinity::get_core_ids().unwrap());
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
        assert_eq!(unbound(processors.len()).unwrap().install(started), processors);
        assert_eq!(unbound(3).unwrap().current_num_threads(), 3);
    }

    #[test]
    fn fewer_threads_than_processors_go_where_they_like() {
        let processors = core_affinity::get_core_ids().unwrap_or_default();
        let seen =
            pool(1, &Engine::Native).unwrap().install(|| core_affinity::get_core_ids().unwrap_or_default());
        assert_eq!(seen, processors);
    }
}
