//! What is done with one picture.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::attributes::OperatingPoint;
use lineament::json::{Attributes, Face, Picture};
use lineament::locate::ResponseMap;
use lineament::locate::response::heat;
use lineament::{Photo, Rect, Tagger, TaggerError};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::metrics::{Metrics, Stage};
use crate::problem::Problem;
use crate::settings::Limits;

/// The longer side of a map's picture, in pixels: maps are smooth, and whoever lays one over a photo stretches it.
const MAP_SIDE: u32 = 512;
/// How much of the picture gives way to the map.
const OPACITY: f32 = 0.65;

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
}

/// How a map is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// Colours, clear where the response is weak: to be laid over the picture.
    Layer,
    /// Over the picture itself.
    Over,
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
}

fn is_none_left(count: &usize) -> bool {
    *count == 0
}

/// A map as a picture.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Map {
    /// In pixels of the map, which covers the whole picture.
    pub width: u32,
    /// In pixels of the map.
    pub height: u32,
    /// A PNG, in base64.
    #[serde(serialize_with = "base64")]
    #[schema(value_type = String, content_encoding = "base64", content_media_type = "image/png")]
    pub png: Vec<u8>,
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

impl From<TaggerError> for Problem {
    fn from(error: TaggerError) -> Self {
        Self::failed(format!("the model does not answer: {error}; `lineament model verify` says more"))
    }
}

/// Reads the picture and does what is asked; stops between stages once nobody waits for it.
pub fn run(
    task: &Task,
    bytes: &[u8],
    tagger: &Tagger,
    limits: &Limits,
    metrics: &Metrics,
    gone: &dyn Fn() -> bool,
) -> Result<Answer, Problem> {
    let allowed = lineament::Limits { max_pixels: limits.pixels, max_bytes: limits.body as u64 };
    let photo = metrics.timed(Stage::Decode, || Photo::decode(bytes, &allowed))?;
    stop_if(gone)?;
    let mut faces = metrics.timed(Stage::Locate, || tagger.locate(&photo))?;
    let faces_left_out = faces.len().saturating_sub(limits.faces);
    faces.truncate(limits.faces);
    metrics.faces(faces.len());
    stop_if(gone)?;
    let boxes = faces.iter().map(|face| (face.rect, face.score));
    let (faces, response_map) = match task {
        Task::Predict { told, threshold, point } => {
            let read = |(rect, score)| {
                stop_if(gone)?;
                Ok(Face::new(rect, score, attributes(tagger, &photo, rect, told, *threshold, *point)?))
            };
            let faces =
                metrics.timed(Stage::Attributes, || boxes.map(read).collect::<Result<_, Problem>>())?;
            (faces, None)
        }
        Task::Locate { map } => {
            let bare = |(rect, score)| Face::new(rect, score, Attributes::default());
            let map = metrics.timed(Stage::Map, || draw(&tagger.response_map(&photo)?, &photo, *map))?;
            (boxes.map(bare).collect(), Some(map))
        }
    };
    let picture = Picture { path: None, width: photo.width(), height: photo.height(), faces };
    Ok(Answer { picture, faces_left_out, response_map })
}

/// The answer goes nowhere; any will do.
fn stop_if(gone: &dyn Fn() -> bool) -> Result<(), Problem> {
    if gone() { Err(Problem::slow_answer("nobody waits for the answer any more")) } else { Ok(()) }
}

fn attributes(
    tagger: &Tagger,
    photo: &Photo,
    rect: Rect,
    told: &[usize],
    threshold: Option<f32>,
    point: OperatingPoint,
) -> Result<Attributes, TaggerError> {
    let scores = tagger.scores_in(photo, tagger.region_of_box(rect)?)?;
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

fn draw(map: &ResponseMap, photo: &Photo, kind: MapKind) -> Result<Map, Problem> {
    match kind {
        MapKind::Over => {
            let over = map.over(photo, OPACITY);
            encode(over.pixels(), over.width(), over.height(), ExtendedColorType::Rgb8)
        }
        MapKind::Layer => layer(map, photo),
    }
}

/// The map in colours that grow clearer with weaker responses.
fn layer(map: &ResponseMap, photo: &Photo) -> Result<Map, Problem> {
    let shrink = (f64::from(MAP_SIDE) / f64::from(photo.width().max(photo.height()))).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * shrink).round() as u32).max(1);
    let (width, height) = (side(photo.width()), side(photo.height()));
    let (least, most) = map.range();
    let scale = if most > least { 1.0 / (most - least) } else { 0.0 };
    let (step_x, step_y) = (photo.width() as f32 / width as f32, photo.height() as f32 / height as f32);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            let place = lineament::Point::new((x as f32 + 0.5) * step_x, (y as f32 + 0.5) * step_y);
            let value = ((map.sample(place) - least) * scale).clamp(0.0, 1.0);
            pixels.extend(heat(value).map(|colour| colour.round() as u8));
            pixels.push((value.powf(1.5) * 230.0).round() as u8);
        }
    }
    encode(&pixels, width, height, ExtendedColorType::Rgba8)
}

fn encode(pixels: &[u8], width: u32, height: u32, colours: ExtendedColorType) -> Result<Map, Problem> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(pixels, width, height, colours)
        .map_err(|error| Problem::failed(format!("the map cannot be encoded as PNG: {error}")))?;
    Ok(Map { width, height, png })
}
