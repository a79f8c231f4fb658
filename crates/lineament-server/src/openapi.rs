//! The description of the service for programs, OpenAPI 3.1.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lineament::Photo;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, KnownFormat, OpenApi as Document, Ref, RefOr, Required, Response, ResponseBuilder, SchemaFormat,
    Server,
};
use utoipa::{Modify, OpenApi};

use crate::maps::{FaceMap, Map};
use crate::problem::Problem;
use crate::routes::{Answers, Entry, explain, health, locate, model, predict};
use crate::service::Service;
use crate::work::{Answer, Explained};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lineament",
        description = "Faces and their attributes from photos. Attributes are labels that people gave to pictures, not facts about a \
                       person; nobody is identified. Pictures are neither kept nor logged.",
    ),
    paths(
        predict::predict,
        locate::locate,
        explain::explain,
        model::model,
        health::healthz,
        health::readyz,
        health::metrics,
    ),
    components(schemas(Answers, Entry, Answer, Explained, FaceMap, Map, Problem)),
    tags((name = "pictures", description = "What is in pictures"), (name = "service", description = "How the service is")),
    modifiers(&Shared),
)]
struct Api;

const TOKEN: &str = "token";
const PROBLEM: &str = "Problem";

/// What several routes have in common.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(TOKEN, token());
        components.responses.insert(PROBLEM.to_owned(), problem().into());
        for (address, item) in &mut document.paths.paths {
            let guarded = address.starts_with("/v1/") || address == "/metrics";
            if let Some(operation) = &mut item.post {
                operation.request_body = Some(images(operation).into());
            }
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                let refused = Ref::from_response_name(PROBLEM);
                operation.responses.responses.insert("default".to_owned(), refused.into());
                if guarded {
                    let no_scopes: [&str; 0] = [];
                    let needed = SecurityRequirement::new(TOKEN, no_scopes);
                    operation.security = Some(vec![SecurityRequirement::default(), needed]);
                }
            }
        }
    }
}

fn token() -> SecurityScheme {
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer);
    SecurityScheme::Http(bearer.description(Some("Where the service was started with a token")).build())
}

fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
    ResponseBuilder::new()
        .description("What was wrong and what to do about it")
        .content("application/problem+json", content)
        .build()
}

/// An image as it is, or several as a form, with the options of the route beside them.
fn images(route: &Operation) -> RequestBody {
    let file = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .description(Some(Photo::FORMATS))
    };
    let files = ArrayBuilder::new().items(file()).min_items(Some(1));
    let mut form = ObjectBuilder::new().property("picture", files).required("picture");
    for option in route.parameters.iter().flatten() {
        if let RefOr::T(option) = option
            && let Some(schema) = &option.schema
        {
            form = form.property(&option.name, schema.clone());
        }
    }
    RequestBodyBuilder::new()
        .description(Some(
            "A picture as the body, or several as the parts of a form, where the options may stand too: each once, in the \
             address or in the form. The format of a picture is read from its bytes, whatever its Content-Type. The body \
             may be compressed (Content-Encoding gzip, deflate or zstd); its limit counts before and after.",
        ))
        .required(Some(Required::True))
        .content("image/jpeg", Content::new(Some(file())))
        .content("image/png", Content::new(Some(file())))
        .content("application/octet-stream", Content::new(Some(file())))
        .content("multipart/form-data", Content::new(Some(form)))
        .build()
}

/// The document.
pub fn document() -> Document {
    Api::openapi()
}

/// `GET /openapi.json`: the document, with the path below which the service is shown.
pub async fn openapi(State(service): State<Arc<Service>>) -> Json<Document> {
    let mut document = document();
    let prefix = service.settings().prefix.as_str();
    if !prefix.is_empty() {
        document.servers = Some(vec![Server::new(prefix)]);
    }
    Json(document)
}
