//! `/assets`: scripts and styles of the pages, the libraries they use, and the recordings of races.
//! They are part of the binary; a debug build reads them from the folder `web` at each request.

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue,
        header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    },
    response::Response,
    routing::get,
};
use rust_embed::Embed;
use tower_http::compression::CompressionLayer;

use crate::web;
use product::error::Error;

/// Path of a file of the folder `web`.
pub const PATH: &str = "/assets/";

/// Folder of speedscope, which the stage page shows in a frame.
pub const SPEEDSCOPE: &str = "vendor/speedscope/dist/release/";

/// Policy of speedscope's own files: it styles its elements, and has WebAssembly for one format.
const SPEEDSCOPE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; \
     img-src 'self' data:",
);

#[derive(Embed)]
#[folder = "../../web"]
#[include = "stage/*"]
#[include = "recordings/*"]
#[include = "vendor/*"]
struct Web;

/// Routes of the files. They hold no secret, so nobody needs access for them.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{*path}", get(file)).layer(CompressionLayer::new())
}

/// Text of a file of the folder; None if there is no such file.
pub fn text(path: &str) -> Option<String> {
    String::from_utf8(Web::get(path)?.data.into_owned()).ok()
}

async fn file(
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    // A path that is not UTF-8 is an unknown file too.
    let Path(path) = path.map_err(|_| Error::no_route())?;
    let found = Web::get(&path).ok_or_else(Error::no_route)?;
    // Asked again each time, and answered with 304: an edited file shows at once.
    let content_type = found.metadata.mimetype().to_owned();
    let mut answer = web::file(found, &content_type, &headers, web::ASK);
    if path.starts_with(SPEEDSCOPE) {
        let to = answer.headers_mut();
        to.insert(CONTENT_SECURITY_POLICY, SPEEDSCOPE_POLICY);
        to.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_libraries_is_theirs_and_licences_come_along() {
        let list: Vec<serde_json::Value> =
            serde_json::from_str(&text("vendor/VENDORED.json").unwrap()).unwrap();
        for entry in &list {
            let file = format!("vendor/{}", entry["file"].as_str().unwrap());
            let hash = Web::get(&file).unwrap_or_else(|| panic!("{file}")).metadata.sha256_hash();
            assert_eq!(entry["sha256"], web::hex(&hash), "{file}");
            let licence = format!("vendor/{}/LICENSE", entry["name"].as_str().unwrap());
            assert!(Web::get(&licence).is_some(), "{licence}");
        }
        assert!(!list.is_empty());
    }
}
