//! The threads that work on pictures, beside those that talk to clients.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use axum::body::Bytes;
use lineament::{Tagger, Threads};
use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::metrics::{Metrics, Stage};
use crate::problem::Problem;
use crate::queue::Queue;
use crate::settings::{Limits, Line};
use crate::work::{self, Answer, Task};

/// A picture on its way through the line.
pub struct Job {
    /// The file, as it was sent.
    pub bytes: Bytes,
    /// What is asked of it.
    pub task: Arc<Task>,
    /// When it joined.
    pub joined: Instant,
    /// Where the answer goes; closed when nobody waits for it any more.
    pub answer: oneshot::Sender<Result<Answer, Problem>>,
}

/// What the threads share.
pub struct Workers {
    /// Where pictures come from.
    pub queue: Arc<Queue<Job>>,
    /// What answers.
    pub tagger: Tagger,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What a picture may ask for.
    pub limits: Limits,
    /// How many are taken together.
    pub line: Line,
}

impl Workers {
    /// Works until the queue is closed and empty.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(self, threads: Threads) -> std::io::Result<()> {
        thread::Builder::new().name("lineament-line".to_owned()).spawn(move || self.run(&threads))?;
        Ok(())
    }

    /// Takes what waits, a batch at a time: a picture alone gets all threads, many get one each, side by side.
    fn run(&self, threads: &Threads) {
        while let Some(batch) = self.queue.take(self.line.batch) {
            let (count, begun) = (batch.len(), Instant::now());
            self.metrics.batch(count);
            threads.install(|| {
                batch.into_par_iter().with_max_len(1).for_each(|job| {
                    self.answer(job);
                    self.queue.finished();
                });
            });
            self.queue.paced(count, begun.elapsed());
        }
    }

    fn answer(&self, job: Job) {
        if job.answer.is_closed() {
            return;
        }
        self.metrics.stage(Stage::Wait, job.joined.elapsed());
        let gone = || job.answer.is_closed();
        // A fault in one picture's way must not end the service.
        let done = catch_unwind(AssertUnwindSafe(|| {
            work::run(&job.task, &job.bytes, &self.tagger, &self.limits, &self.metrics, &gone)
        }));
        let done = done.unwrap_or_else(|_| {
            self.metrics.panicked();
            Err(Problem::failed(
                "an unforeseen fault; the service goes on. Please report the picture, if you may share it",
            ))
        });
        // Whoever asked may have left.
        let _ = job.answer.send(done);
    }
}
