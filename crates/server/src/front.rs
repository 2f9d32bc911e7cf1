//! The front end: the page at `/`, and its modules, styles and library from `web/`, all embedded.
//!
//! The path of a file has a version made of all contents, so a browser keeps it for ever and a reload
//! asks for the page alone. A debug build reads the files at each request: an edit needs no build.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::Path,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use product::{config::Config, error::Error};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

/// The HTML of the page.
mod page;

use page::{Ops, page};

/// Cache time of a file below the version it belongs to.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Cache time of all else: a browser asks each time if it has changed.
const ASK: &str = "no-cache";

#[derive(RustEmbed)]
#[folder = "../../web"]
#[include = "front/*"]
#[include = "vendor/htm/preact/*"]
struct Web;

/// Serves the page and its files. `ops` is the address that ops is bound to.
pub fn router<S: Clone + Send + Sync + 'static>(config: &Config, ops: SocketAddr) -> Router<S> {
    let ops = Ops::of(config, ops);
    // The embedded files don't change while the server runs.
    let built = (!cfg!(debug_assertions)).then(|| page(&ops, &version()).into_string());
    let html = move || built.clone().unwrap_or_else(|| page(&ops, &version()).into_string());
    Router::new()
        .route("/", get(async move |headers: HeaderMap| html_page(&headers, html())))
        .route("/web/{version}/{*path}", get(file))
}

/// Hash of all files, as the version in their paths.
fn version() -> String {
    let mut all = Sha256::new();
    for path in Web::iter() {
        all.update(path.as_bytes());
        all.update(Web::get(&path).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex(&all.finalize()[..6])
}

fn html_page(headers: &HeaderMap, html: String) -> Response {
    let tag = tag(&Sha256::digest(&html));
    if is_known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag), (CACHE_CONTROL, ASK.into())])
            .into_response();
    }
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, ASK)];
    (headers, [(ETAG, tag)], html).into_response()
}

/// Serves a file. One asked for by another version, as while instances are replaced, is sent all the
/// same, but not kept under it.
async fn file(
    Path((wanted, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let EmbeddedFile { data, metadata } = Web::get(&path).ok_or_else(Error::no_route)?;
    let tag = tag(&metadata.sha256_hash());
    let cached = if wanted == version() { FOR_EVER } else { ASK };
    let headers_sent = [(ETAG, tag.clone()), (CACHE_CONTROL, cached.to_owned())];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers_sent).into_response());
    }
    let content_type = [(CONTENT_TYPE, content_type(&path))];
    Ok((headers_sent, content_type, data.into_owned()).into_response())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// Weak, because the same content is sent compressed too.
fn tag(hash: &[u8]) -> String {
    format!("W/\"{}\"", hex(&hash[..8]))
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
