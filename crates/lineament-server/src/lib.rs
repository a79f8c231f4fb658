//! Faces and their attributes over HTTP, and the page that shows them.
//!
//! [`Service`] holds a tagger, a bounded queue and the threads that work on it; [`Service::router`] is what answers requests, and
//! [`run`] serves it on an address until the process is told to stop. The rooms: `routes/` one route a file, [`settings`] what may
//! be set, `queue.rs` and `workers.rs` how pictures wait and are worked on, `work.rs` what is done with one, `maps.rs` maps as
//! pictures, `upload.rs` how they come
//! in, `problem.rs` how refusals go out.

mod guard;
mod maps;
mod metrics;
mod openapi;
mod problem;
mod queue;
mod router;
mod routes;
mod serve;
mod service;
pub mod settings;
mod token;
mod upload;
mod work;
mod workers;

pub use openapi::document;
pub use serve::{ServeError, run};
pub use service::Service;
pub use settings::Settings;
pub use token::{Token, TokenError};
