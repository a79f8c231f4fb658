//! A path below which a proxy shows the service.

use std::str::FromStr;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect};

/// A path such as `/faces`, or none. Requests are answered with it and without it, so that a proxy may keep it or strip it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

/// A text that is no path to begin addresses with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a prefix begins with a slash, ends without one, and holds letters, digits, `-`, `_`, `.` and `~`; give one such as /faces"
)]
pub struct PrefixError;

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let fits = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
        match text.strip_prefix('/') {
            Some(path) if path.split('/').all(fits) => Ok(Self(text.to_owned())),
            _ => Err(PrefixError),
        }
    }
}

impl Prefix {
    /// The path, empty where there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Routes that are also found below the prefix. The prefix itself leads to the page behind it, whose links need the slash.
    pub(crate) fn above(&self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        let prefix = self.clone();
        let strip = move |mut request: Request, next: Next| {
            let inside = prefix.inside(request.uri());
            let home = request.uri().path() == prefix.0;
            let prefix = prefix.clone();
            async move {
                if home {
                    return Redirect::permanent(&format!("{}/", prefix.0)).into_response();
                }
                if let Some(inside) = inside {
                    *request.uri_mut() = inside;
                }
                next.run(request).await
            }
        };
        // What is laid around a router sees requests after their route is chosen, unless that is a router of its own.
        Router::new().fallback_service(routes).layer(from_fn(strip))
    }

    /// An address below the prefix, as it is without it.
    fn inside(&self, address: &Uri) -> Option<Uri> {
        let rest = address.path_and_query()?.as_str().strip_prefix(&self.0)?;
        let path = rest.starts_with('/').then(|| rest.parse::<PathAndQuery>().ok())??;
        let mut parts = address.clone().into_parts();
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_path() {
        for good in ["/faces", "/a/b-c/d_e.f~1"] {
            assert_eq!(good.parse::<Prefix>().unwrap().as_str(), good);
        }
        for wrong in [
            "",
            "/",
            "faces",
            "/faces/",
            "//faces",
            "/a/../b",
            "/a/./b",
            "/{a}",
            "/a b",
            "/a?b",
            "/ä",
            "http://a/b",
        ] {
            assert_eq!(wrong.parse::<Prefix>(), Err(PrefixError), "{wrong}");
        }
    }

    #[test]
    fn only_whole_parts_of_a_path_are_its_prefix() {
        let prefix: Prefix = "/faces".parse().unwrap();
        let inside =
            |address: &str| prefix.inside(&address.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(inside("/faces/v1/predict?map=none").as_deref(), Some("/v1/predict?map=none"));
        assert_eq!(inside("/faces/").as_deref(), Some("/"));
        assert_eq!(inside("http://host/faces/docs").as_deref(), Some("http://host/docs"));
        for other in ["/", "/v1/predict", "/faces", "/faces?a=b", "/facesome/docs", "/v1/faces/docs"] {
            assert_eq!(inside(other), None, "{other}");
        }
    }
}
