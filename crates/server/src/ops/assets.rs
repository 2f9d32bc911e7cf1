//! `/assets`: scripts and styles of the pages, the libraries they use, and the recordings of races.
//! They are part of the binary; a debug build reads them from the folder `web` at each request.

use std::borrow::Cow;

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{Embed, EmbeddedFile};
use tower_http::compression::CompressionLayer;

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
    let EmbeddedFile { data, metadata } = Web::get(&path).ok_or_else(Error::no_route)?;
    let hash: String = metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let is_known =
        headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut answer = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match data {
            Cow::Borrowed(bytes) => bytes.into_response(),
            Cow::Owned(bytes) => bytes.into_response(),
        }
    };
    let to = answer.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(metadata.mimetype()) {
        to.insert(CONTENT_TYPE, content_type);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        to.insert(ETAG, tag);
    }
    // Asked again each time, and answered with 304: an edited file shows at once.
    to.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if path.starts_with(SPEEDSCOPE) {
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
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(entry["sha256"], hash, "{file}");
            let licence = format!("vendor/{}/LICENSE", entry["name"].as_str().unwrap());
            assert!(Web::get(&licence).is_some(), "{licence}");
        }
        assert!(!list.is_empty());
    }
}
