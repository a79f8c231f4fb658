//! The service: a model, a queue of photos, and the threads that work on them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use lineament::{Tagger, Threads};

use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::queue::{Full, Queue, Weight};
use crate::settings::Settings;
use crate::shares::Shares;
use crate::upload::{BodyLimiter, Upload, UploadedPhoto};
use crate::work::{Answer, Task};
use crate::workers::Workers;

/// How long a client is kept that is to come again later: those that come again at once would take the processor from the
/// photos that they wait for.
const PAUSE: Duration = Duration::from_millis(200);

/// The answer about one photo, or why there is none.
pub type PhotoResult = Result<Answer, Problem>;

/// A tagger that answers requests. Dropping the last reference ends its threads.
pub struct Service {
    settings: Settings,
    workers: Arc<Workers>,
    queue: Arc<Queue>,
    bodies: BodyLimiter,
    stopping: AtomicBool,
}

impl Service {
    /// A service that works on the threads of the tagger, and starts as many again for photos that come side by side.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(tagger: Tagger, settings: Settings) -> io::Result<Arc<Self>> {
        let active = settings.queue.active.min(tagger.threads().count());
        let workers = Workers {
            shares: Shares::new(tagger.threads().clone(), active)?,
            // Work on a photo is done on its share of the threads.
            tagger: tagger.with_threads(Threads::of_caller()),
            metrics: Metrics::new(),
            limits: settings.limits,
        };
        Ok(Arc::new(Self {
            workers: Arc::new(workers),
            queue: Queue::new(settings.queue, active),
            bodies: BodyLimiter::new(settings.limits),
            settings,
            stopping: AtomicBool::new(false),
        }))
    }

    /// What was set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Says that the service is about to stop: what is under way is answered, `/readyz` sends others elsewhere.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn tagger(&self) -> &Tagger {
        &self.workers.tagger
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.workers.metrics
    }

    /// The counters as text.
    pub(crate) fn metrics_text(&self) -> Result<String, std::fmt::Error> {
        self.metrics().text(self.queue.len(), self.bodies.held())
    }

    /// Takes in the photos of a request, and the options that a form has beside them.
    pub(crate) async fn take(&self, request: Request<Body>) -> Result<Upload, Problem> {
        self.bodies.take(request).await
    }

    /// Does the task on each photo: the names and answers in their order. Dropping the future gives up their turns.
    pub(crate) async fn ask(
        &self,
        upload: Upload,
        task: Task,
    ) -> Result<Vec<(Option<String>, PhotoResult)>, Problem> {
        let answers = self.answers(&upload.photos, task);
        let answers = match tokio::time::timeout(self.settings.limits.time, answers).await {
            Ok(Err(problem)) if problem.status == StatusCode::TOO_MANY_REQUESTS => {
                drop(upload);
                tokio::time::sleep(PAUSE).await;
                return Err(problem);
            }
            Ok(answers) => answers?,
            Err(_) => {
                return Err(Problem::slow_answer(format!(
                    "there was no answer after {} s; send smaller pictures, or fewer at once",
                    self.settings.limits.time.as_secs_f32()
                ))
                .retry_after(Duration::from_secs(1)));
            }
        };
        let names = upload.photos.into_iter().map(|photo| photo.name);
        Ok(names.zip(answers).collect())
    }

    async fn answers(&self, photos: &[UploadedPhoto], task: Task) -> Result<Vec<PhotoResult>, Problem> {
        let weights: Vec<Weight> = photos.iter().map(|photo| task.weight(&photo.bytes)).collect();
        let tickets = self.queue.join(&weights).map_err(|Full(wait)| {
            Problem::busy(
                "too many pictures wait already; send this one again after the seconds that Retry-After gives",
            )
            .retry_after(wait)
        })?;
        let task = Arc::new(task);
        let answers = tickets.into_iter().zip(photos).map(async |(ticket, photo)| {
            let answer = self.workers.answer(ticket, photo.bytes.clone(), Arc::clone(&task)).await;
            self.metrics().image(if answer.is_ok() { "read" } else { "refused" });
            answer
        });
        Ok(join_all(answers).await)
    }
}
