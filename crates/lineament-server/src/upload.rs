//! How photos come in: one as the body, or several as the parts of a form, with options beside them.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::coding::Coding;
use crate::problem::Problem;
use crate::settings::Limits;

/// Held bytes are counted in units of so many: a semaphore has too few permits to count each.
const UNIT: usize = 1 << 10;
/// Longest name of a photo that is given back, in characters.
const MAX_NAME: usize = 255;
/// Options of a form at most; no route knows as many.
const MAX_OPTIONS: usize = 64;
/// Longest value of an option, in bytes: all attributes by name are a tenth of it.
const MAX_VALUE: usize = 8 << 10;

/// Photos as they were sent.
pub struct Upload {
    /// In the order they were sent; never none.
    pub photos: Vec<UploadedPhoto>,
    /// Whether they came as a form, which is answered by a list.
    pub form: bool,
    /// Names and values of the form's parts that are no photos, in their order.
    pub options: Vec<(String, String)>,
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
        let (kind, coding) = (Kind::of(&head.headers)?, Coding::of(&head.headers)?);
        let form = matches!(kind, Kind::Form(_));
        let declared = content_length(&head.headers);
        if declared.is_some_and(|length| length > self.limits.body) {
            return Err(self.too_many_bytes());
        }
        // A body that does not declare how long it is when it is unpacked is counted with the most that it may have.
        let unpacked = declared.filter(|_| coding == Coding::Identity);
        let units = unpacked.unwrap_or(self.limits.body).div_ceil(UNIT).max(1);
        let held = Arc::clone(&self.memory)
            .try_acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX))
            .map_err(|_| {
                Problem::busy("too many pictures are being sent at once; send this one again later")
                    .retry_after(Duration::from_secs(1))
            })?;
        let read = async {
            // Packed as well as unpacked, so that neither costs more than the limit.
            let body = coding.decoded(Limited::new(body, self.limits.body));
            let body = Limited::new(body, self.limits.body);
            match kind {
                Kind::Photo => {
                    let photo = UploadedPhoto { name: None, bytes: self.photo(body).await? };
                    Ok((vec![photo], Vec::new()))
                }
                Kind::Form(boundary) => self.form(body, boundary).await,
            }
        };
        let (photos, options) = tokio::time::timeout(self.limits.time, read).await.map_err(|_| {
            Problem::slow_body(format!(
                "the body was not whole after {} s; send smaller pictures, or over a faster line",
                self.limits.time.as_secs_f32()
            ))
        })??;
        Ok(Upload { photos, form, options, _held: held })
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

    /// Photos and options of a form.
    async fn form(&self, body: Limited<Body>, boundary: String) -> Result<Parts, Problem> {
        let limits = SizeLimit::new().whole_stream(self.limits.body as u64);
        let constraints = Constraints::new().size_limit(limits);
        let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
        let (mut photos, mut options) = (Vec::new(), Vec::new());
        while let Some(field) = form.next_field().await.map_err(|error| self.broken_form(&error))? {
            let option = may_be_option(&field).then(|| field.name().map(printable).unwrap_or_default());
            if option.is_none() && photos.len() == self.limits.images {
                return Err(self.too_many_photos());
            }
            let name = field.file_name().or_else(|| field.name()).map(printable);
            let bytes = field.bytes().await.map_err(|error| self.broken_form(&error))?;
            match option.zip(short_text(&bytes)) {
                Some(_) if options.len() == MAX_OPTIONS => {
                    return Err(Problem::bad_request(format!(
                        "the form has more than {MAX_OPTIONS} options; give each once, and photos a file name"
                    )));
                }
                Some((name, value)) => options.push((name, value.to_owned())),
                None if photos.len() == self.limits.images => return Err(self.too_many_photos()),
                None => photos.push(UploadedPhoto { name, bytes }),
            }
        }
        if photos.is_empty() {
            return Err(Problem::bad_request(
                "the form has no picture; send each as a part with a file name, as with `curl -F picture=@photo.jpg`",
            ));
        }
        Ok((photos, options))
    }

    fn too_many_photos(&self) -> Problem {
        Problem::too_large(format!(
            "more than {} pictures; send the others in a request of their own",
            self.limits.images
        ))
    }

    fn too_many_bytes(&self) -> Problem {
        Problem::too_large(format!(
            "the body has more than {} bytes; send smaller pictures, or fewer at once",
            self.limits.body
        ))
    }

    fn broken(&self, error: &(dyn Error + 'static)) -> Problem {
        if is_too_long(error) {
            return self.too_many_bytes();
        }
        Problem::bad_request(format!(
            "the body cannot be read to its end ({error}); send it again, as its Content-Encoding says"
        ))
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

/// Whether a limit is among the causes; an error of the system hides the one that it holds from `source`.
fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| {
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        held.map(|held| held as &dyn Error).or_else(|| error.source())
    })
    .any(|error| error.is::<LengthLimitError>())
}

/// Photos of a form, and its options.
type Parts = (Vec<UploadedPhoto>, Vec<(String, String)>);

/// Whether a part of a form may be an option: files have a name or a type, mostly both.
fn may_be_option(field: &Field) -> bool {
    let text = field.content_type().is_none_or(|kind| kind.essence_str() == "text/plain");
    text && field.file_name().is_none()
}

/// The value of an option; no photo is so short and plain.
fn short_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    (bytes.len() <= MAX_VALUE && !text.contains(char::is_control)).then_some(text)
}

/// What a body is, by its type.
enum Kind {
    Photo,
    /// With its boundary.
    Form(String),
}

impl Kind {
    /// Clients call photos by many types or by none: what is no form is taken for a photo, and its bytes say of which format.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let value =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "multipart/form-data" => multer::parse_boundary(value).map(Self::Form).map_err(|error| {
                Problem::bad_request(format!(
                    "the form's type is wrong ({error}); let the client write it, as `curl -F` does"
                ))
            }),
            kind if kind.starts_with("multipart/") => Err(Problem::wrong_type(
                "the body has parts and is no form; send pictures as multipart/form-data, or one as the body",
            )),
            _ => Ok(Self::Photo),
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
