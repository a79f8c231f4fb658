//! `GET /v1/model`: the model that answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lineament::Card;
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::Service;

/// What the attributes are and are not.
pub const LABELS: &str = "Attributes are labels that people gave to pictures, as a model has learned to guess them from pixels. They are \
     no facts about the person in the picture, and no measure of anybody. Nobody is identified.";

/// The model and the limits of requests.
#[derive(Serialize, ToSchema)]
pub struct Model<'a> {
    /// Its name.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// SHA-256 of its bundle.
    sha256: &'a str,
    /// What its nets run on.
    engine: String,
    /// The terms of its weights.
    licence: &'a str,
    /// What its answers are and are not.
    labels: &'static str,
    /// The attributes that it reports, in their order.
    attributes: Vec<ModelAttribute<'a>>,
    /// The limits of a request.
    limits: ModelLimits,
    /// Its card, as `lineament model show --format json` gives it.
    #[schema(value_type = Object)]
    card: &'a Card,
}

/// An attribute that the model reports.
#[derive(Serialize, ToSchema)]
struct ModelAttribute<'a> {
    /// Its name.
    name: &'a str,
    /// Its prevalence: the share of training photos that have it.
    positives: f32,
    /// From which probability on it is present, for the highest accuracy.
    accuracy: f32,
    /// The same where presence and absence count the same.
    balanced: f32,
}

/// The limits of a request.
#[derive(Serialize, ToSchema)]
struct ModelLimits {
    /// Bytes of the body.
    bytes: usize,
    /// Pixels of a photo.
    pixels: u64,
    /// Photos of a form.
    #[serde(rename = "pictures")]
    images: usize,
    /// Faces reported per photo.
    faces: usize,
    /// Maps of attributes per photo.
    maps: usize,
}

/// The model: its attributes and their thresholds, what it was trained on, its licence.
#[utoipa::path(
    get,
    path = "/v1/model",
    tag = "service",
    responses(
        (status = 200, description = "The model that answers", body = Model<'static>),
    ),
)]
pub async fn model(State(service): State<Arc<Service>>) -> axum::response::Response {
    use axum::response::IntoResponse;
    let (tagger, limits) = (service.tagger(), service.settings().limits);
    let card = tagger.card();
    let attributes = tagger.selected_attributes().map(|attribute| ModelAttribute {
        name: &attribute.name,
        positives: attribute.prevalence,
        // Thresholds lie on scores; as probabilities they can be read.
        accuracy: attribute.platt.probability(attribute.thresholds.accuracy),
        balanced: attribute.platt.probability(attribute.thresholds.balanced),
    });
    let model = Model {
        name: &card.name,
        version: &card.version,
        sha256: tagger.hash(),
        engine: tagger.engine().to_string(),
        licence: &card.licence,
        labels: LABELS,
        attributes: attributes.collect(),
        limits: ModelLimits {
            bytes: limits.body,
            pixels: limits.pixels,
            images: limits.images,
            faces: limits.faces,
            maps: limits.maps,
        },
        card,
    };
    Json(model).into_response()
}
