//! How photos come in: one as the body, or several as the parts of a form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use multer::{Constraints, Multipart, SizeLimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;
use crate::settings::Limits;

/// Held bytes are counted in units of so many: a semaphore has too few permits to count each.
const UNIT: usize = 1 << 10;
/// Longest name of a photo that is given back, in characters.
const MAX_NAME: usize = 255;

/// Photos as they were sent.
pub struct Upload {
    /// In the order they were sent; never none.
    pub photos: Vec<UploadedPhoto>,
    /// Whether they came as a form, which is answered by a list.
    pub form: bool,
    /// The memory that they take, given back when dropped.
    _held: OwnedSemaphorePermit,
}

/// One photo.
pub struct UploadedPhoto {
    /// As its part of the form is called.
    pub name: Option<String>,
    /// The file.
    pub bytes: Bytes,
}

/// Takes in bodies, each within its limits and all together within theirs.
pub struct BodyLimiter {
    limits: Limits,
    /// A permit for each unit of bytes.
    memory: Arc<Semaphore>,
}

impl BodyLimiter {
    /// A limiter that holds nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, memory: Arc::new(Semaphore::new(limits.held / UNIT)) }
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        (self.limits.held / UNIT).saturating_sub(self.memory.available_permits()) * UNIT
    }

    /// Takes in the body of a request.
    pub async fn take(&self, request: Request<Body>) -> Result<Upload, Problem> {
        let (head, body) = request.into_parts();
        let kind = Kind::of(&head.headers)?;
        let form = matches!(kind, Kind::Form(_));
        let declared = content_length(&head.headers);
        if declared.is_some_and(|length| length > self.limits.body) {
            return Err(self.too_many_bytes());
        }
        // A body that does not declare its length is counted with the most that it may have.
        let units = declared.unwrap_or(self.limits.body).div_ceil(UNIT).max(1);
        let held = Arc::clone(&self.memory)
            .try_acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX))
            .map_err(|_| {
                Problem::busy("too many pictures are being sent at once; send this one again later")
                    .retry_after(Duration::from_secs(1))
            })?;
        let read = async {
            let body = Limited::new(body, self.limits.body);
            match kind {
                Kind::Photo => Ok(vec![UploadedPhoto { name: None, bytes: self.photo(body).await? }]),
                Kind::Form(boundary) => self.form(body, boundary).await,
            }
        };
        let photos = tokio::time::timeout(self.limits.time, read).await.map_err(|_| {
            Problem::slow_body(format!(
                "the body was not whole after {} s; send smaller pictures, or over a faster line",
                self.limits.time.as_secs_f32()
            ))
        })??;
        Ok(Upload { photos, form, _held: held })
    }

    async fn photo(&self, body: Limited<Body>) -> Result<Bytes, Problem> {
        let bytes = body.collect().await.map_err(|error| self.broken(error.as_ref()))?.to_bytes();
        if bytes.is_empty() {
            return Err(Problem::bad_request(
                "the body is empty; send a picture, as with `curl --data-binary @photo.jpg` or `curl -F picture=@photo.jpg`",
            ));
        }
        Ok(bytes)
    }

    async fn form(&self, body: Limited<Body>, boundary: String) -> Result<Vec<UploadedPhoto>, Problem> {
        let limits = SizeLimit::new().whole_stream(self.limits.body as u64);
        let constraints = Constraints::new().size_limit(limits);
        let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
        let mut photos = Vec::new();
        while let Some(field) = form.next_field().await.map_err(|error| self.broken_form(&error))? {
            if photos.len() == self.limits.images {
                return Err(Problem::too_large(format!(
                    "more than {} pictures; send the others in a request of their own",
                    self.limits.images
                )));
            }
            let name = field.file_name().or_else(|| field.name()).map(printable);
            let bytes = field.bytes().await.map_err(|error| self.broken_form(&error))?;
            photos.push(UploadedPhoto { name, bytes });
        }
        if photos.is_empty() {
            return Err(Problem::bad_request(
                "the form has no part; send each picture as one, as with `curl -F picture=@photo.jpg`",
            ));
        }
        Ok(photos)
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

/// What a body is, by its type.
enum Kind {
    Photo,
    /// With its boundary.
    Form(String),
}

impl Kind {
    /// A photo's format is read from its bytes, so that its type matters little; what is surely none is refused.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Photo) };
        let value = value.to_str().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "multipart/form-data" => multer::parse_boundary(value).map(Self::Form).map_err(|error| {
                Problem::bad_request(format!(
                    "the form's type is wrong ({error}); let the client write it, as `curl -F` does"
                ))
            }),
            // What curl calls everything.
            "application/octet-stream" | "application/x-www-form-urlencoded" => Ok(Self::Photo),
            kind if kind.starts_with("image/") => Ok(Self::Photo),
            _ => Err(Problem::wrong_type(
                "the body is no picture by its Content-Type; send one as image/jpeg (or what it is), or several as \
                 multipart/form-data",
            )),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A name without what terminals and pages would not show as it is.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}
