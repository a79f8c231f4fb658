//! The work on photos: each by itself, as soon as it has its turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::body::Bytes;
use lineament::Tagger;
use tokio::sync::oneshot;

use crate::metrics::{Metrics, Stage};
use crate::problem::Problem;
use crate::queue::{Permit, Ticket};
use crate::settings::Limits;
use crate::shares::Shares;
use crate::work::{self, Answer, Task};

/// What works on photos.
pub struct Workers {
    /// What answers, on the threads that call it.
    pub tagger: Tagger,
    /// What is counted.
    pub metrics: Metrics,
    /// What a photo may ask for.
    pub limits: Limits,
    /// The threads.
    pub shares: Arc<Shares>,
}

impl Workers {
    /// The answer about a photo, once it has had its turn. Dropping the future gives up the turn; work that has begun ends
    /// at its next stage.
    pub async fn answer(
        self: &Arc<Self>,
        ticket: Ticket,
        bytes: Bytes,
        task: Arc<Task>,
    ) -> Result<Answer, Problem> {
        let stopped =
            || Problem::stopping("the service stopped before the picture's turn came; send it again");
        let permit = ticket.permit().await.map_err(|_| stopped())?;
        self.metrics.active(permit.active);
        let (answer, waiting) = oneshot::channel();
        let share = self.shares.share(permit.alone);
        let workers = Arc::clone(self);
        share.threads().spawn(move || {
            let done = workers.work(&permit, &bytes, &task, &answer);
            // The next photo may begin: first its threads, then its turn.
            drop(share);
            drop(permit);
            // The client may have left.
            let _ = answer.send(done);
        });
        waiting.await.unwrap_or_else(|_| Err(stopped()))
    }

    fn work<T>(
        &self,
        permit: &Permit,
        bytes: &[u8],
        task: &Task,
        answer: &oneshot::Sender<T>,
    ) -> Result<Answer, Problem> {
        let gone = || answer.is_closed();
        work::stop_if(&gone)?;
        self.metrics.stage(Stage::Wait, permit.joined.elapsed());
        // A fault in the work on one photo must not end the service.
        let work = || work::run(task, bytes, &self.limits, &self.metrics, &gone);
        let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            self.metrics.panicked();
            Err(Problem::failed(
                "an unforeseen fault; the service goes on. Please report the picture, if you may share it",
            ))
        });
        permit.record_latency();
        done
    }
}
