//! Work on many items side by side, results in the order of the items, memory flat.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use lineament::Threads;

/// Items that are worked on or wait for their turn, for each thread: enough that a slow image does not hold up the
/// others, few enough that finished ones do not pile up.
const WAITING_PER_THREAD: usize = 4;

/// Calls `work` on every item, on `threads`, and `take` on every result, here, in the order of the items, as soon as it is
/// its turn; ends early when `take` fails.
///
/// Items are asked for on a thread of their own: a reader that waits for the next line of a pipe does not hold back the
/// answer to the last.
pub fn for_each<T: Send, R: Send, E>(
    threads: &Threads,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let window = threads.count() * WAITING_PER_THREAD;
    let (queue, results) = sync_channel::<Receiver<R>>(window);
    let work = &work;
    thread::scope(|reader| {
        reader.spawn(move || {
            threads.in_place_scope(|tasks| {
                for item in items {
                    let (answer, ticket) = sync_channel(1);
                    // Nobody takes results any more: stop asking for items.
                    if queue.send(ticket).is_err() {
                        break;
                    }
                    tasks.spawn(move |_| {
                        // The ticket may be gone for the same reason.
                        let _ = answer.send(work(item));
                    });
                }
            });
        });
        // A ticket without an answer means that its work panicked; the scope hands the panic on.
        results.into_iter().filter_map(|ticket| ticket.recv().ok()).try_for_each(&mut take)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn pool(threads: usize) -> Threads {
        Threads::unpinned(threads).unwrap()
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let mut taken = Vec::new();
        let slow_first = |item: u64| {
            thread::sleep(Duration::from_millis(if item.is_multiple_of(7) { 5 } else { 0 }));
            item * 2
        };
        for_each(&pool(3), 0..200, slow_first, |result| {
            taken.push(result);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(taken, (0..200).map(|item| item * 2).collect::<Vec<u64>>());
    }

    #[test]
    fn no_more_than_a_window_is_under_way() {
        let (asked, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items = (0..500_usize).inspect(|_| {
            let ahead = asked.fetch_add(1, Ordering::SeqCst) + 1 - taken.load(Ordering::SeqCst);
            assert!(ahead <= 2 * WAITING_PER_THREAD + 2, "{ahead}");
        });
        for_each(
            &pool(2),
            items,
            |item| item,
            |_| {
                thread::sleep(Duration::from_micros(50));
                taken.fetch_add(1, Ordering::SeqCst);
                Ok::<(), ()>(())
            },
        )
        .unwrap();
        assert_eq!(taken.into_inner(), 500);
    }

    #[test]
    fn a_failure_ends_the_asking() {
        let asked = AtomicUsize::new(0);
        let items = (0..).inspect(|_| {
            asked.fetch_add(1, Ordering::SeqCst);
        });
        let result =
            for_each(&pool(2), items, |item: u64| item, |item| if item == 10 { Err("full") } else { Ok(()) });
        assert_eq!(result, Err("full"));
        assert!(asked.into_inner() < 40);
    }

    #[test]
    fn an_answer_comes_before_the_next_item_is_there() {
        let (give, items) = sync_channel::<u64>(0);
        let (answered, answer) = sync_channel(1);
        thread::scope(|threads| {
            threads.spawn(move || {
                give.send(1).unwrap();
                assert_eq!(answer.recv_timeout(Duration::from_secs(20)), Ok(1));
                drop(give);
            });
            for_each(&pool(1), items.into_iter(), |item| item, |item| answered.send(item).map_err(|_| ()))
                .unwrap();
        });
    }
}
