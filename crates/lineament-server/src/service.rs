//! The service: a tagger, a line of pictures, and the threads that work on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use lineament::{Tagger, Threads};
use tokio::sync::oneshot;

use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::queue::{Queue, Refused};
use crate::settings::Settings;
use crate::upload::{Door, Sent};
use crate::work::{Answer, Task};
use crate::workers::{Job, Workers};

/// How long a client is kept that is told to come again later: those that come again at once would take the processor from the
/// pictures that they wait for.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers about one picture, or why there are none, with its name.
pub type Told = (Option<String>, Result<Answer, Problem>);

/// A tagger that answers requests. Dropping the last reference ends its threads.
pub struct Service {
    tagger: Tagger,
    settings: Settings,
    metrics: Arc<Metrics>,
    queue: Arc<Queue<Job>>,
    door: Door,
    stopping: AtomicBool,
}

impl Service {
    /// A service that works on the threads of the tagger.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(tagger: Tagger, settings: Settings) -> std::io::Result<Arc<Self>> {
        // Whoever works on a photo is on one of these threads already.
        let threads = tagger.threads().clone();
        let (tagger, metrics) = (tagger.with_threads(Threads::of_caller()), Arc::new(Metrics::new()));
        let queue = Queue::new(settings.line.places, settings.line.patience, settings.line.batch);
        let workers = Workers {
            queue: Arc::clone(&queue),
            tagger: tagger.clone(),
            metrics: Arc::clone(&metrics),
            limits: settings.limits,
            line: settings.line,
        };
        workers.start(threads)?;
        let door = Door::new(settings.limits);
        Ok(Arc::new(Self { tagger, settings, metrics, queue, door, stopping: AtomicBool::new(false) }))
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
        &self.tagger
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The counters as text.
    pub(crate) fn metrics_text(&self) -> Result<String, std::fmt::Error> {
        self.metrics.text(self.queue.len(), self.door.held())
    }

    /// Takes in the pictures of a request, has the task done on each, and waits for the answers; whether they came as a form. Dropping
    /// the future gives up their places.
    pub(crate) async fn ask(&self, request: Request<Body>, task: Task) -> Result<(Vec<Told>, bool), Problem> {
        let upload = self.door.take(request).await?;
        let form = upload.form;
        let answers = self.wait(upload.pictures.iter(), task);
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
        let names = upload.pictures.into_iter().map(|sent| sent.name);
        Ok((names.zip(answers).collect(), form))
    }

    async fn wait(
        &self,
        pictures: impl Iterator<Item = &Sent>,
        task: Task,
    ) -> Result<Vec<Result<Answer, Problem>>, Problem> {
        let (task, joined) = (Arc::new(task), Instant::now());
        let (jobs, waiting): (Vec<_>, Vec<_>) = pictures
            .map(|sent| {
                let (answer, waiting) = oneshot::channel();
                (Job { bytes: sent.bytes.clone(), task: Arc::clone(&task), joined, answer }, waiting)
            })
            .unzip();
        let _places = self.queue.join(jobs).map_err(|refused| match refused {
            Refused::Full(wait) => Problem::busy(
                "too many pictures wait already; send this one again after the seconds that Retry-After gives",
            )
            .retry_after(wait),
            Refused::Closed => {
                Problem::stopping("the service is about to stop; send the picture to another, or later")
            }
        })?;
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            let answer = answer.await.unwrap_or_else(|_| {
                Err(Problem::stopping("the service stopped before the picture's turn came; send it again"))
            });
            self.metrics.picture(if answer.is_ok() { "read" } else { "refused" });
            answers.push(answer);
        }
        Ok(answers)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.queue.close();
    }
}
