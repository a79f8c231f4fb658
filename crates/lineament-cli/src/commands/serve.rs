//! `lineament serve`: the service and the page.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament_server::settings::{Limits, QueueConfig};
use lineament_server::{Prefix, Settings, Token};

use super::Outcome;
use crate::arguments::{RunArguments, SearchArguments};
use crate::files::Sink;
use crate::{model, notes};

/// Where the token is looked for when no file is named.
const TOKEN: &str = "LINEAMENT_TOKEN";

/// Faces reported of an image where nothing is said.
const FACES: &str = "100";

#[derive(Debug, Args)]
#[command(mut_arg("max_faces", |argument| argument
    .default_value(FACES)
    .value_parser(clap::value_parser!(u32).range(1..=1000))
    .help("Faces reported of an image, the best ones; a request may ask for fewer")))]
#[command(mut_arg("smallest_face", |argument| argument
    .help("Height of the smallest face where a request does not say it: pixels (24, 24px) or a share of the photo's longer side (2.5%) [default: 2.5%, and 16px at least]")))]
#[command(mut_arg("any_orientation", |argument| argument
    .help("Look for faces that lie on their side or stand on their head, too, where a request does not say whether to")))]
pub struct ServeArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = address)]
    address: SocketAddr,
    /// The path below which a proxy shows the service, such as /faces; requests may come with it or without it
    #[arg(long, value_name = "PATH")]
    prefix: Option<Prefix>,
    /// A file with the token that requests must bring [default: the variable LINEAMENT_TOKEN, or none]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Another origin whose pages may ask, such as https://photos.example, or * for all; give it once for each
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Images that wait at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    queue: u32,
    /// Refuse a request that would wait longer than so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    patience: u32,
    /// Megabytes of a request, as it comes and unpacked
    #[arg(long, value_name = "MB", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_body: u16,
    /// Images of a request
    #[arg(long = "max-pictures", value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_images: u16,
    /// Seconds that a request may take to arrive, and again to be answered
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3600))]
    max_time: u16,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    run: RunArguments,
}

/// An address, or that of a name such as localhost; where a name has several, one of IPv4, as the default is.
fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().map_err(|error| {
        format!("{error}; give a host and a port, such as localhost:8080, 0.0.0.0:8080 or [::1]:8080")
    })?;
    let found: Vec<SocketAddr> = found.collect();
    let best = found.iter().find(|address| address.is_ipv4()).or(found.first());
    best.copied().ok_or_else(|| "this name has no address; give one, such as 127.0.0.1:8080".to_owned())
}

pub fn run(arguments: ServeArguments) -> Result<Outcome> {
    let settings = settings(&arguments)?;
    let tagger = arguments.search.of(&model::ready_to_explain(&arguments.run)?)?;
    notes::note(format!("model: {}", model::label(&tagger)));
    if settings.token.is_none() && !settings.address.ip().is_loopback() {
        notes::note(format!(
            "whoever reaches {} may use the service; ask for a token with {TOKEN} or --token-file",
            settings.address
        ));
    }
    lineament_server::run(tagger, settings, |address| {
        // The one result of this command: where it can be asked.
        let written = Sink::open(None).and_then(|mut sink| {
            use std::io::Write;
            writeln!(sink, "http://{address}")?;
            sink.finish()
        });
        if written.is_err() {
            notes::note(format!("listening on http://{address}"));
        }
    })?;
    notes::note("stopped: everything that was under way is answered".to_owned());
    Ok(Outcome::AllRead)
}

fn settings(arguments: &ServeArguments) -> Result<Settings> {
    let (limits, queue) = (Limits::default(), QueueConfig::default());
    let body = usize::from(arguments.max_body) << 20;
    let origin = |origin: &String| {
        let fits = origin == "*" || origin.starts_with("http://") || origin.starts_with("https://");
        if !fits || origin.ends_with('/') {
            bail!(
                "--allow-origin {origin} is no origin; give scheme and host without a path, as https://photos.example"
            );
        }
        Ok(origin.parse()?)
    };
    if u32::from(arguments.max_images) > arguments.queue {
        bail!("--max-pictures must not be above --queue, or a full request never finds room; raise --queue");
    }
    Ok(Settings {
        address: arguments.address,
        prefix: arguments.prefix.clone().unwrap_or_default(),
        token: token(arguments.token_file.as_deref())?,
        origins: arguments.allow_origin.iter().map(origin).collect::<Result<_>>()?,
        limits: Limits {
            body,
            pixels: lineament::Limits::default().max_pixels,
            images: arguments.max_images.into(),
            faces: arguments.search.max_faces.map_or(limits.faces, |most| most as usize),
            time: Duration::from_secs(arguments.max_time.into()),
            held: limits.held.max(4 * body),
            ..limits
        },
        queue: QueueConfig {
            capacity: arguments.queue as usize,
            patience: Duration::from_millis(arguments.patience.into()),
            ..queue
        },
    })
}

/// The token of the file, or of the environment; neither shows in a list of processes.
fn token(file: Option<&Path>) -> Result<Option<Token>> {
    let (text, from) = match (file, std::env::var(TOKEN)) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).with_context(|| {
                format!("{} cannot be read; --token-file wants a file of text", file.display())
            })?;
            (text, file.display().to_string())
        }
        (None, Ok(text)) => (text, TOKEN.to_owned()),
        (None, Err(std::env::VarError::NotPresent)) => return Ok(None),
        (None, Err(error)) => return Err(error).context(TOKEN),
    };
    Ok(Some(Token::new(&text).with_context(|| format!("{from} holds no token that is safe"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_name() {
        assert_eq!(address("localhost:8080"), Ok(([127, 0, 0, 1], 8080).into()));
        assert_eq!(address("[::1]:80").map(|address| address.port()), Ok(80));
        for wrong in ["localhost", "8080", ":8080x", ""] {
            assert!(address(wrong).is_err_and(|said| said.contains("localhost:8080")), "{wrong}");
        }
    }
}
