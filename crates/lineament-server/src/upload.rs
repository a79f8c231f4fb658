//! How pictures come in: one as the body, or several as the parts of a form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use multer::{Constraints, Multipart, SizeLimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;
use crate::settings::Limits;

/// Held bytes are counted in these.
const GRAIN: usize = 1 << 10;
/// Longest name of a picture that is given back.
const NAME: usize = 255;

/// Pictures as they were sent.
pub struct Upload {
    /// In the order they were sent; never none.
    pub pictures: Vec<Sent>,
    /// Whether they came as a form, which is answered by a list.
    pub form: bool,
    /// The memory that they take, given back when dropped.
    _held: OwnedSemaphorePermit,
}

/// One picture.
pub struct Sent {
    /// As its part of the form is called.
    pub name: Option<String>,
    /// The file.
    pub bytes: Bytes,
}

/// Takes in bodies within limits.
pub struct Door {
    limits: Limits,
    room: Arc<Semaphore>,
}

impl Door {
    /// A door with the limits' room behind it.
    pub fn new(limits: Limits) -> Self {
        Self { limits, room: Arc::new(Semaphore::new(limits.held / GRAIN)) }
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        (self.limits.held / GRAIN).saturating_sub(self.room.available_permits()) * GRAIN
    }

    /// Takes in the body of a request.
    pub async fn take(&self, request: Request<Body>) -> Result<Upload, Problem> {
        let (head, body) = request.into_parts();
        let kind = Kind::of(&head.headers)?;
        let form = matches!(kind, Kind::Form(_));
        let told = length(&head.headers);
        if told.is_some_and(|length| length > self.limits.body) {
            return Err(self.too_many_bytes());
        }
        // A body that does not tell its length may be as long as it may be.
        let grains = told.unwrap_or(self.limits.body).div_ceil(GRAIN).max(1);
        let held = Arc::clone(&self.room)
            .try_acquire_many_owned(u32::try_from(grains).unwrap_or(u32::MAX))
            .map_err(|_| {
            Problem::busy("too many pictures are being sent at once; send this one again later")
                .retry_after(Duration::from_secs(1))
        })?;
        let read = async {
            let body = Limited::new(body, self.limits.body);
            match kind {
                Kind::Picture => Ok(vec![Sent { name: None, bytes: self.whole(body).await? }]),
                Kind::Form(boundary) => self.parts(body, boundary).await,
            }
        };
        let pictures = tokio::time::timeout(self.limits.time, read).await.map_err(|_| {
            Problem::slow_body(format!(
                "the body was not whole after {} s; send smaller pictures, or over a faster line",
                self.limits.time.as_secs_f32()
            ))
        })??;
        Ok(Upload { pictures, form, _held: held })
    }

    async fn whole(&self, body: Limited<Body>) -> Result<Bytes, Problem> {
        let bytes = body.collect().await.map_err(|error| self.broken(error.as_ref()))?.to_bytes();
        if bytes.is_empty() {
            return Err(Problem::bad_request(
                "the body is empty; send a picture, as with `curl --data-binary @photo.jpg` or `curl -F picture=@photo.jpg`",
            ));
        }
        Ok(bytes)
    }

    async fn parts(&self, body: Limited<Body>, boundary: String) -> Result<Vec<Sent>, Problem> {
        let limits = SizeLimit::new().whole_stream(self.limits.body as u64);
        let constraints = Constraints::new().size_limit(limits);
        let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
        let mut pictures = Vec::new();
        while let Some(field) = form.next_field().await.map_err(|error| self.broken_form(&error))? {
            if pictures.len() == self.limits.pictures {
                return Err(Problem::too_large(format!(
                    "more than {} pictures; send the others in a request of their own",
                    self.limits.pictures
                )));
            }
            let name = field.file_name().or_else(|| field.name()).map(shown);
            let bytes = field.bytes().await.map_err(|error| self.broken_form(&error))?;
            pictures.push(Sent { name, bytes });
        }
        if pictures.is_empty() {
            return Err(Problem::bad_request(
                "the form has no part; send each picture as one, as with `curl -F picture=@photo.jpg`",
            ));
        }
        Ok(pictures)
    }

    fn too_many_bytes(&self) -> Problem {
        Problem::too_large(format!(
            "the body has more than {} bytes; send smaller pictures, or fewer at once",
            self.limits.body
        ))
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Problem {
        if is_too_long(error) {
            return self.too_many_bytes();
        }
        Problem::bad_request(format!("the body broke off ({error}); send it again"))
    }

    fn broken_form(&self, error: &multer::Error) -> Problem {
        if matches!(error, multer::Error::StreamSizeExceeded { .. }) || is_too_long(error) {
            return self.too_many_bytes();
        }
        Problem::bad_request(format!(
            "the form cannot be read ({error}); write it as multipart/form-data with its boundary, as `curl -F` does"
        ))
    }
}

fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// What a body says that it is.
enum Kind {
    Picture,
    /// With its boundary.
    Form(String),
}

impl Kind {
    /// A picture is told by its bytes, so that its type matters little; what is surely none is refused.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Picture) };
        let value = value.to_str().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "multipart/form-data" => multer::parse_boundary(value).map(Self::Form).map_err(|error| {
                Problem::bad_request(format!(
                    "the form's type is wrong ({error}); let the client write it, as `curl -F` does"
                ))
            }),
            // What curl calls everything.
            "application/octet-stream" | "application/x-www-form-urlencoded" => Ok(Self::Picture),
            kind if kind.starts_with("image/") => Ok(Self::Picture),
            _ => Err(Problem::wrong_type(
                "the body is no picture by its Content-Type; send one as image/jpeg (or what it is), or several as \
                 multipart/form-data",
            )),
        }
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A name that may be shown anywhere.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME).collect()
}
