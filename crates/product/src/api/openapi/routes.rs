//! `GET /api/openapi.json` for programs, `/docs` for people: Swagger UI, embedded, so that it works
//! without a network.

use axum::{
    Extension, Router,
    body::Bytes,
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{api::state::SharedState, error::Error};

pub const PATH: &str = "/api/openapi.json";

/// Policy for Swagger UI: it draws icons from `data:` URLs, and sets styles on elements.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'",
);

fn unfinished() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(document))
}

/// Description of these routes, for the document that they serve.
pub fn described() -> OpenApi {
    unfinished().into_openapi()
}

/// Both routes, for a complete document. It is serialized once.
pub fn router(document: &OpenApi) -> Router<SharedState> {
    // It holds nothing that JSON could not.
    let json = document.to_json().unwrap_or_default();
    let (router, _) = unfinished().split_for_parts();
    router.layer(Extension(Document(json.into()))).merge(page())
}

/// Serialized document, ready to send.
#[derive(Clone)]
struct Document(Bytes);

/// Describes how to talk to this server: every path, body and answer.
#[utoipa::path(get, path = PATH, tag = "description", responses(
    (status = OK, body = HashMap<String, Value>, description = "an OpenAPI 3.1 document")
))]
async fn document(Extension(Document(json)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}

fn page() -> Router<SharedState> {
    let config = Config::from(PATH)
        // Else it would call a server on the internet.
        .validator_url("none")
        .display_request_duration(true)
        .persist_authorization(true);
    Router::from(SwaggerUi::new("/docs").config(config)).layer(map_response(as_page))
}

async fn as_page(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND {
        return Error::no_route().into_response();
    }
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    response
}
