//! Settings, with defaults that suit most.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::http::HeaderValue;

use crate::prefix::Prefix;
use crate::token::Token;

/// Everything about the service but its model.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; by default on this machine only.
    pub address: SocketAddr,
    /// Below which path a proxy shows it; none by default.
    pub prefix: Prefix,
    /// What every request for work must bring, if anything.
    pub token: Option<Token>,
    /// Other origins whose pages may send requests, such as `https://photos.example`; `*` lets all. None by default.
    pub origins: Vec<HeaderValue>,
    /// What a request may ask for.
    pub limits: Limits,
    /// How many photos wait, and how long.
    pub queue: QueueConfig,
}

/// What a request may ask for before it is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a request's body, as it comes and unpacked.
    pub body: usize,
    /// Pixels of a photo, as its header gives them.
    pub pixels: u64,
    /// Photos of a request.
    pub images: usize,
    /// Faces reported per photo, the best ones.
    pub faces: usize,
    /// Maps of attributes per photo.
    pub maps: usize,
    /// From a request's first byte to its last, and again from there to the answer.
    pub time: Duration,
    /// Bytes of all bodies that are held at a time.
    pub held: usize,
    /// Connections open at a time.
    pub connections: usize,
}

/// How photos wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueConfig {
    /// Photos that wait at most.
    pub capacity: usize,
    /// A request that would wait longer than this is refused.
    pub patience: Duration,
    /// Photos that are worked on at a time, where there are as many threads. As many may wait, however long each takes.
    pub active: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8080).into(),
            prefix: Prefix::default(),
            token: None,
            origins: Vec::new(),
            limits: Limits::default(),
            queue: QueueConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 20 << 20,
            pixels: lineament::Limits::BUILT_IN.max_pixels,
            images: 16,
            faces: 100,
            maps: 400,
            time: Duration::from_secs(30),
            held: 256 << 20,
            connections: 1024,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { capacity: 64, patience: Duration::from_millis(300), active: 4 }
    }
}
