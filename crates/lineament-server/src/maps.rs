//! Maps as images.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::explain::Explanation;
use lineament::locate::ResponseMap;
use lineament::locate::response::heat;
use lineament::prediction::BoundingBox;
use lineament::{Photo, Point, Rect};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::problem::Problem;

/// The longer side of the image of a full map, in pixels: maps are smooth, and whoever lays one over a photo stretches it.
const FULL_SIDE: u32 = 512;
/// The same around one face: there may be many of these in an answer.
const FACE_SIDE: u32 = 96;
/// How much of the image gives way to the map.
const OPACITY: f32 = 0.65;

/// How a map is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// Colours, clear where the response is weak: to be laid over the image.
    Layer,
    /// Over the image itself.
    Over,
}

/// A map as an image.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Map {
    /// In pixels of the map.
    pub width: u32,
    /// In pixels of the map.
    pub height: u32,
    /// A PNG, in base64.
    #[serde(serialize_with = "base64")]
    #[schema(value_type = String, content_encoding = "base64", content_media_type = "image/png")]
    pub png: Vec<u8>,
}

/// A map of a part of the image.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FaceMap {
    /// The part that it covers; it may reach outside the image.
    pub r#box: BoundingBox,
    /// The map.
    #[serde(flatten)]
    pub map: Map,
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

/// The map of a full photo.
pub fn full(map: &ResponseMap, photo: &Photo, kind: MapKind) -> Result<Map, Problem> {
    match kind {
        MapKind::Over => opaque(&map.over(photo, OPACITY)),
        MapKind::Layer => layer(map, photo.rect(), FULL_SIDE),
    }
}

/// The map of an attribute around its face.
pub fn face(explanation: &Explanation, photo: &Photo, kind: MapKind) -> Result<FaceMap, Problem> {
    let extent = explanation.map.extent();
    let map = match kind {
        MapKind::Over => opaque(&explanation.over(photo, OPACITY)),
        MapKind::Layer => layer(&explanation.map, extent, FACE_SIDE),
    }?;
    Ok(FaceMap { r#box: extent.into(), map })
}

/// The part of the map inside `covered`, in colours that grow clearer with weaker responses.
fn layer(map: &ResponseMap, covered: Rect, longest: u32) -> Result<Map, Problem> {
    let shrink = (longest as f32 / covered.width.max(covered.height)).min(1.0);
    let side = |pixels: f32| ((pixels * shrink).round() as u32).clamp(1, longest);
    let (width, height) = (side(covered.width), side(covered.height));
    let (least, most) = map.range();
    let scale = if most > least { 1.0 / (most - least) } else { 0.0 };
    let (step_x, step_y) = (covered.width / width as f32, covered.height / height as f32);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            let point =
                Point::new(covered.x + (x as f32 + 0.5) * step_x, covered.y + (y as f32 + 0.5) * step_y);
            let value = ((map.sample(point) - least) * scale).clamp(0.0, 1.0);
            pixels.extend(heat(value).map(|colour| colour.round() as u8));
            pixels.push((value.powf(1.5) * 230.0).round() as u8);
        }
    }
    encode(&pixels, width, height, ExtendedColorType::Rgba8)
}

fn opaque(photo: &Photo) -> Result<Map, Problem> {
    encode(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
}

fn encode(pixels: &[u8], width: u32, height: u32, colours: ExtendedColorType) -> Result<Map, Problem> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(pixels, width, height, colours)
        .map_err(|error| Problem::failed(format!("the map cannot be encoded as PNG: {error}")))?;
    Ok(Map { width, height, png })
}
