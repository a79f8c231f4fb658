//! What is done with one picture.

use lineament::attributes::OperatingPoint;
use lineament::explain::{ExplainError, ExplainOptions, Explainer};
use lineament::json::{Attributes, Explanation, Face, Picture};
use lineament::locate::Face as Found;
use lineament::{Photo, Rect, Tagger, TaggerError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::maps::{self, FaceMap, Map, MapKind};
use crate::metrics::{Metrics, Stage};
use crate::problem::Problem;
use crate::settings::Limits;

/// What answers, and what tells what answers rest on.
pub struct Model {
    /// Finds faces and their attributes.
    pub tagger: Tagger,
    /// Made of the same bundle.
    pub explainer: Explainer,
}

/// What is asked of a picture.
pub enum Task {
    /// Faces and their attributes.
    Predict {
        /// Places of the attributes in the card, in the order they are told.
        told: Vec<usize>,
        /// Present from this probability on, instead of the model's own thresholds.
        threshold: Option<f32>,
        /// Which of the model's own thresholds.
        point: OperatingPoint,
    },
    /// Faces, and the response map of LNet_o.
    Locate {
        /// How the map is drawn.
        map: MapKind,
    },
    /// Faces, and what the answers about their attributes rest on.
    Explain(Asked),
}

/// What is to be explained.
pub struct Asked {
    /// The one face of interest, counted from 1; all where none is named.
    pub face: Option<usize>,
    /// Which attributes, how many neurons, by which threshold.
    pub options: ExplainOptions,
    /// How maps are drawn, if at all.
    pub map: Option<MapKind>,
}

/// What is told about a picture.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Answer {
    /// Its size and its faces.
    #[serde(flatten)]
    pub picture: Picture,
    /// How many more faces there are than may be told.
    #[serde(skip_serializing_if = "is_none_left")]
    #[schema(required = false)]
    pub faces_left_out: usize,
    /// How LNet_o responds to the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_map: Option<Map>,
    /// What the answers rest on: for each face each attribute, in the order asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanations: Option<Vec<Explained>>,
}

/// What the answer about one attribute of one face rests on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Explained {
    /// Which of the faces, counted from 1.
    #[schema(minimum = 1)]
    pub face: usize,
    /// The answer, its place and its neurons.
    #[serde(flatten)]
    pub told: Explanation,
    /// How strongly each place of the face speaks for the attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<FaceMap>,
}

fn is_none_left(count: &usize) -> bool {
    *count == 0
}

impl From<TaggerError> for Problem {
    fn from(error: TaggerError) -> Self {
        Self::failed(format!("the model does not answer: {error}; `lineament model verify` says more"))
    }
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        Self::failed(format!("the answer cannot be explained: {error}; `lineament model verify` says more"))
    }
}

/// Reads the picture and does what is asked; stops between stages once nobody waits for it.
pub fn run(
    task: &Task,
    bytes: &[u8],
    model: &Model,
    limits: &Limits,
    metrics: &Metrics,
    gone: &dyn Fn() -> bool,
) -> Result<Answer, Problem> {
    let tagger = &model.tagger;
    let allowed = lineament::Limits { max_pixels: limits.pixels, max_bytes: limits.body as u64 };
    let photo = metrics.timed(Stage::Decode, || Photo::decode(bytes, &allowed))?;
    stop_if(gone)?;
    let mut faces = metrics.timed(Stage::Locate, || tagger.locate(&photo))?;
    let faces_left_out = faces.len().saturating_sub(limits.faces);
    faces.truncate(limits.faces);
    metrics.faces(faces.len());
    stop_if(gone)?;
    let (mut response_map, mut explanations) = (None, None);
    let bare = |face: &Found| Face::new(face.rect, face.score, Attributes::default());
    let told = match task {
        Task::Predict { told, threshold, point } => {
            let read = |face: &Found| {
                stop_if(gone)?;
                let read = attributes(tagger, &photo, face, told, *threshold, *point)?;
                Ok(Face::new(face.rect, face.score, read))
            };
            metrics.timed(Stage::Attributes, || faces.iter().map(read).collect::<Result<_, Problem>>())?
        }
        Task::Locate { map } => {
            let map =
                metrics.timed(Stage::Map, || maps::whole(&tagger.response_map(&photo)?, &photo, *map))?;
            response_map = Some(map);
            faces.iter().map(bare).collect()
        }
        Task::Explain(asked) => {
            let places: Vec<Rect> = faces.iter().map(|face| face.rect).collect();
            let told = || explained(model, &photo, &places, asked, limits, gone);
            explanations = Some(metrics.timed(Stage::Explain, told)?);
            faces.iter().map(bare).collect()
        }
    };
    let picture = Picture { path: None, width: photo.width(), height: photo.height(), faces: told };
    Ok(Answer { picture, faces_left_out, response_map, explanations })
}

/// The answer goes nowhere; any will do.
fn stop_if(gone: &dyn Fn() -> bool) -> Result<(), Problem> {
    if gone() { Err(Problem::slow_answer("nobody waits for the answer any more")) } else { Ok(()) }
}

fn attributes(
    tagger: &Tagger,
    photo: &Photo,
    face: &Found,
    told: &[usize],
    threshold: Option<f32>,
    point: OperatingPoint,
) -> Result<Attributes, TaggerError> {
    let scores = tagger.scores_in(photo, tagger.place_of(face)?)?;
    let read = |&place: &usize| {
        let (card, &score) = tagger.card().attributes.get(place).zip(scores.get(place))?;
        let mut attribute = card.read(place, score, point);
        if let Some(threshold) = threshold {
            attribute.value = attribute.probability >= threshold;
        }
        Some((card.name.clone(), attribute.into()))
    };
    Ok(Attributes(told.iter().filter_map(read).collect()))
}

fn explained(
    model: &Model,
    photo: &Photo,
    faces: &[Rect],
    asked: &Asked,
    limits: &Limits,
    gone: &dyn Fn() -> bool,
) -> Result<Vec<Explained>, Problem> {
    let card = model.tagger.card();
    let chosen: Vec<(usize, Rect)> = (1..)
        .zip(faces.iter().copied())
        .filter(|(number, _)| asked.face.is_none_or(|face| face == *number))
        .collect();
    if let (Some(face), true) = (asked.face, chosen.is_empty()) {
        let found = faces.len();
        return Err(Problem::no_face(format!(
            "face {face} is asked for and the picture has {found}; `face` counts from 1, in the order of /v1/predict"
        )));
    }
    let attributes = asked.options.attributes.as_ref().map_or(card.attributes.len(), Vec::len);
    if asked.map.is_some() && chosen.len() * attributes > limits.maps {
        return Err(Problem::too_large(format!(
            "{} faces with {attributes} attributes are more than {} maps; name one face or fewer attributes, or leave the maps out",
            chosen.len(),
            limits.maps
        )));
    }
    let mut explanations = Vec::new();
    for (face, rect) in chosen {
        stop_if(gone)?;
        for told in model.explainer.explain(photo, rect, &asked.options)? {
            let name =
                card.attributes.get(told.attribute.index).map_or("", |attribute| attribute.name.as_str());
            let map = asked.map.map(|kind| maps::face(&told, photo, kind)).transpose()?;
            explanations.push(Explained { face, told: Explanation::of(name, &told), map });
        }
    }
    Ok(explanations)
}
