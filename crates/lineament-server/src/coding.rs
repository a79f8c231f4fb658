//! Bodies that come compressed, as `Content-Encoding` says.

use std::io;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Limited};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::problem::Problem;

/// Bytes that are unpacked at a time.
const CHUNK: usize = 64 << 10;

/// What a decoder of zstd keeps of the bytes before, at most, as the exponent of two: the eight megabytes of RFC 9659.
const ZSTD_WINDOW: u32 = 23;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coding {
    /// Not at all.
    Identity,
    Gzip,
    /// What HTTP calls deflate and others zlib.
    Deflate,
    Zstd,
}

/// Bytes that are not what `Content-Encoding` says.
#[derive(Debug, thiserror::Error)]
#[error("it is no {coding}: {source}")]
struct Corrupt {
    coding: &'static str,
    source: io::Error,
}

impl Coding {
    /// The coding that a request names.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let named: Vec<_> =
            headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str()).collect();
        let coding = match named.as_slice() {
            [] => "",
            [Ok(one)] => one.trim(),
            _ => "several",
        };
        match coding.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Problem::wrong_type(
                "the Content-Encoding is not known; compress the body by gzip, deflate or zstd, once, or send it as it is",
            )),
        }
    }

    /// The body as it was before it was compressed.
    pub fn decoded(self, body: Limited<Body>) -> Body {
        let packed =
            |body: Limited<Body>| StreamReader::new(body.into_data_stream().map_err(io::Error::other));
        match self {
            Self::Identity => Body::new(body),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(packed(body));
                decoder.multiple_members(true);
                streamed(decoder, "gzip")
            }
            Self::Deflate => streamed(ZlibDecoder::new(packed(body)), "deflate"),
            Self::Zstd => {
                let window = [DParameter::window_log_max(ZSTD_WINDOW)];
                let mut decoder = ZstdDecoder::with_params(packed(body), &window);
                decoder.multiple_members(true);
                streamed(decoder, "zstd")
            }
        }
    }
}

fn streamed(decoder: impl AsyncRead + Send + 'static, coding: &'static str) -> Body {
    Body::from_stream(
        ReaderStream::with_capacity(decoder, CHUNK).map_err(move |source| Corrupt { coding, source }),
    )
}
