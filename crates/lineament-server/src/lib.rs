//! Faces and their attributes over HTTP, and the page that shows them.
//!
//! [`Service`] holds a tagger, a bounded queue and the threads that work on it; [`Service::router`] answers requests,
//! and [`run`] serves it on an address until the process is asked to stop. The modules, from the outside in: `serve`
//! listens, `router` leads through `prefix` and `guard` to `routes` (one a file), `upload` takes in photos (`coding` unpacks
//! them), `queue` has them wait, `workers` works on them, each on its share of the threads (`shares`), `work` is what is done with one, `maps` draws
//! maps, [`page_files`] has the page, `problem` is what refusals look like, and [`settings`] what may be set.

mod coding;
mod guard;
mod maps;
mod metrics;
mod openapi;
pub mod page_files;
mod prefix;
mod problem;
mod queue;
mod router;
mod routes;
mod serve;
mod service;
pub mod settings;
mod shares;
mod token;
mod upload;
mod work;
mod workers;

pub use openapi::document;
pub use prefix::{Prefix, PrefixError};
pub use serve::{ServeError, run};
pub use service::Service;
pub use settings::Settings;
pub use token::{Token, TokenError};
