//! What is counted, for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// All counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Family<Route, Histogram>,
    images: Family<Images, Counter>,
    faces: Counter,
    stages: Family<StageLabel, Histogram>,
    active: Histogram,
    panics: Counter,
    waiting: Gauge,
    held: Gauge<f64, AtomicU64>,
}

/// A stage of the work on a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In the queue.
    Wait,
    /// From bytes to pixels.
    Decode,
    /// Finding faces.
    Locate,
    /// Reading attributes.
    Attributes,
    /// Response maps.
    Map,
    /// Explaining answers.
    Explain,
}

impl EncodeLabelValue for Stage {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::Wait => "wait",
            Self::Decode => "decode",
            Self::Locate => "locate",
            Self::Attributes => "attributes",
            Self::Map => "map",
            Self::Explain => "explain",
        };
        name.encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    /// 499 where the client hung up.
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Images {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: Stage,
}

/// A millisecond to half a minute.
fn seconds() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("lineament"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            images: Family::default(),
            faces: Counter::default(),
            stages: Family::new_with_constructor(seconds),
            active: Histogram::new(exponential_buckets(1.0, 2.0, 7)),
            panics: Counter::default(),
            waiting: Gauge::default(),
            held: Gauge::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered, by route and status", self.requests.clone());
        registry.register_with_unit(
            "request",
            "From a request's head to its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register_with_unit(
            "stage",
            "Time of a picture in each stage",
            Unit::Seconds,
            self.stages.clone(),
        );
        registry.register("pictures", "Pictures answered, by outcome", self.images.clone());
        registry.register("faces", "Faces reported", self.faces.clone());
        registry.register("batch_pictures", "Pictures worked on together", self.active.clone());
        registry.register("panics", "Faults in work on a picture", self.panics.clone());
        registry.register("queue_pictures", "Pictures that wait for their turn", self.waiting.clone());
        registry.register_with_unit("held", "Bodies that are held", Unit::Bytes, self.held.clone());
        self
    }

    /// Counts an answer, or that there was nobody to give it to.
    pub fn request(&self, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&Request { route: route.to_owned(), status }).inc();
        self.request_seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Counts a photo as read or refused.
    pub fn image(&self, outcome: &'static str) {
        self.images.get_or_create(&Images { outcome }).inc();
    }

    /// Counts faces.
    pub fn faces(&self, count: usize) {
        self.faces.inc_by(count as u64);
    }

    /// Notes the time of a stage.
    pub fn stage(&self, stage: Stage, took: Duration) {
        self.stages.get_or_create(&StageLabel { stage }).observe(took.as_secs_f64());
    }

    /// Does a stage's work and notes its time.
    pub fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.stage(stage, begun.elapsed());
        done
    }

    /// Notes how many photos are worked on when one begins, itself included.
    pub fn active(&self, photos: usize) {
        self.active.observe(photos as f64);
    }

    /// Counts a fault.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Everything as text, in the OpenMetrics format that Prometheus reads.
    pub fn text(&self, waiting: usize, held: usize) -> Result<String, std::fmt::Error> {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.held.set(held as f64);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
