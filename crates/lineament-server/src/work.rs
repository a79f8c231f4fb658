//! The work on one photo.

use lineament::explain::{ExplainOptions, Explanation};
use lineament::{Error, Face, FaceRecord, Photo, Prediction, Tagger};
use serde::Serialize;
use utoipa::ToSchema;

use crate::maps::{self, FaceMap, Map, MapKind};
use crate::metrics::{Metrics, Stage};
use crate::problem::Problem;
use crate::queue::Weight;
use crate::settings::Limits;

/// A photo of more bytes is heavy.
const HEAVY_BYTES: usize = 512 << 10;

/// What a request wants to know of its photos.
pub struct Task {
    /// Looks for the faces that are asked for, no more than an answer may hold, and selects attributes and thresholds.
    pub tagger: Tagger,
    /// How much work the search is.
    pub search: Weight,
    /// What is wanted of the faces.
    pub wanted: Wanted,
}

/// What a request wants beside the faces.
pub enum Wanted {
    /// Their attributes.
    Attributes,
    /// The response map of LNet_o, drawn so.
    ResponseMap(MapKind),
    /// Explanations of their attributes.
    Explanations(ExplainRequest),
}

impl Task {
    /// How much work the task is on a photo, by the size of its file: those of 300 pixels a side have tens of
    /// kilobytes, those of cameras megabytes. An explanation is hundreds of passes through the net.
    pub fn weight(&self, photo: &[u8]) -> Weight {
        let heavy = photo.len() > HEAVY_BYTES || matches!(self.wanted, Wanted::Explanations(_));
        if heavy { Weight::Heavy } else { self.search }
    }
}

/// What to explain, and how.
pub struct ExplainRequest {
    /// The one face of interest, counted from 1; all where none is named.
    pub face: Option<usize>,
    /// How many neurons.
    pub options: ExplainOptions,
    /// How maps are drawn, if at all.
    pub map: Option<MapKind>,
}

/// The answer about a photo.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Answer {
    /// Its size, its faces, and how many more there are than an answer may hold.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// How LNet_o responds to the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_map: Option<Map>,
    /// Explanations: for each face each attribute, in the order of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanations: Option<Vec<Explained>>,
}

/// The explanation of one attribute of one face.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Explained {
    /// Which of the faces, counted from 1.
    #[schema(minimum = 1)]
    pub face: usize,
    /// The answer, its region and its neurons.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// How strongly each point of the face speaks for the attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<FaceMap>,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let what = match error {
            Error::Explain(_) => "the answer cannot be explained",
            _ => "the model does not answer",
        };
        Self::failed(format!("{what}: {error}; `lineament model verify` says more"))
    }
}

/// Reads the photo and does the task; stops between stages once nobody waits for the answer.
pub fn run(
    task: &Task,
    bytes: &[u8],
    limits: &Limits,
    metrics: &Metrics,
    gone: &dyn Fn() -> bool,
) -> Result<Answer, Problem> {
    let allowed = lineament::Limits { max_pixels: limits.pixels, max_bytes: limits.body as u64 };
    let photo = metrics.timed(Stage::Decode, || Photo::decode(bytes, &allowed))?;
    stop_if(gone)?;
    let tagger = &task.tagger;
    let faces = metrics.timed(Stage::Locate, || tagger.locate(&photo))?;
    metrics.faces(faces.len());
    stop_if(gone)?;
    let (mut response_map, mut explanations) = (None, None);
    let bare = || faces.iter().map(FaceRecord::from).collect();
    let records = match &task.wanted {
        Wanted::Attributes => {
            let read = |face: &Face| {
                stop_if(gone)?;
                Ok(tagger.record(&photo, face)?)
            };
            metrics.timed(Stage::Attributes, || faces.iter().map(read).collect::<Result<_, Problem>>())?
        }
        Wanted::ResponseMap(map) => {
            let map =
                metrics.timed(Stage::Map, || maps::full(&tagger.response_map(&photo)?, &photo, *map))?;
            response_map = Some(map);
            bare()
        }
        Wanted::Explanations(request) => {
            let explain = || explained(&photo, &faces, tagger, request, limits, gone);
            explanations = Some(metrics.timed(Stage::Explain, explain)?);
            bare()
        }
    };
    let (width, height) = (photo.width(), photo.height());
    let least_quality = tagger.least_quality().filter(|_| matches!(task.wanted, Wanted::Attributes));
    let prediction = Prediction::new([width, height], records, faces.left_out, least_quality);
    Ok(Answer { prediction, response_map, explanations })
}

/// Ends work that nobody waits for; the problem goes nowhere, and any will do.
pub fn stop_if(gone: &dyn Fn() -> bool) -> Result<(), Problem> {
    if gone() { Err(Problem::slow_answer("nobody waits for the answer any more")) } else { Ok(()) }
}

fn explained(
    photo: &Photo,
    faces: &[Face],
    tagger: &Tagger,
    request: &ExplainRequest,
    limits: &Limits,
    gone: &dyn Fn() -> bool,
) -> Result<Vec<Explained>, Problem> {
    let chosen: Vec<(usize, &Face)> =
        (1..).zip(faces).filter(|(number, _)| request.face.is_none_or(|face| face == *number)).collect();
    if let (Some(face), true) = (request.face, chosen.is_empty()) {
        let found = faces.len();
        return Err(Problem::no_face(format!(
            "face {face} is asked for and the picture has {found}; `face` counts from 1, in the order of /v1/predict"
        )));
    }
    let attributes = tagger.selected_attributes().count();
    if request.map.is_some() && chosen.len() * attributes > limits.maps {
        return Err(Problem::too_large(format!(
            "{} faces with {attributes} attributes are more than {} maps; name one face or fewer attributes, or leave the maps out",
            chosen.len(),
            limits.maps
        )));
    }
    let mut explanations = Vec::new();
    for (number, face) in chosen {
        stop_if(gone)?;
        for explanation in tagger.explain(photo, face, &request.options)? {
            let map = request.map.map(|kind| maps::face(&explanation, photo, kind)).transpose()?;
            explanations.push(Explained { face: number, explanation, map });
        }
    }
    Ok(explanations)
}
