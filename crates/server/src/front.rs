//! The front end: the page at `/`, and its modules, styles and library from `web/`, all embedded.
//!
//! The path of a file has a version made of all contents, so a browser keeps it for ever and a reload
//! asks for the page alone. A debug build reads the files at each request: an edit needs no build.

use std::{net::SocketAddr, sync::LazyLock};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use product::{config::Config, error::Error};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::web;

/// The HTML of the page.
mod page;

use page::{Ops, page};

/// Cache time of a file below the version it belongs to.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "../../web"]
#[include = "front/*"]
#[include = "vendor/htm/preact/*"]
struct Web;

/// Version of the embedded files, which don't change while the server runs.
static VERSION: LazyLock<String> = LazyLock::new(hash);

/// Serves the page and its files. `ops` is the address that ops is bound to.
pub fn router<S: Clone + Send + Sync + 'static>(config: &Config, ops: SocketAddr) -> Router<S> {
    let ops = Ops::of(config, ops);
    let built = (!cfg!(debug_assertions)).then(|| page(&ops, &version()).into_string());
    let html = move || built.clone().unwrap_or_else(|| page(&ops, &version()).into_string());
    Router::new()
        .route("/", get(async move |headers: HeaderMap| html_page(&headers, html())))
        .route("/web/{version}/{*path}", get(file))
}

/// Version in the paths of all files.
fn version() -> String {
    if cfg!(debug_assertions) { hash() } else { VERSION.clone() }
}

/// Hash of all files.
fn hash() -> String {
    let mut all = Sha256::new();
    for path in Web::iter() {
        all.update(path.as_bytes());
        all.update(Web::get(&path).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    web::hex(&all.finalize()[..6])
}

fn html_page(headers: &HeaderMap, html: String) -> Response {
    let tag = web::tag(&Sha256::digest(&html));
    let content = || ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    web::tagged(tag, headers, web::ASK, content)
}

/// Serves a file. One asked for by another version, as while instances are replaced, is sent all the
/// same, but not kept under it.
async fn file(
    Path((wanted, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = Web::get(&path).ok_or_else(Error::no_route)?;
    let cached = if wanted == version() { FOR_EVER } else { web::ASK };
    Ok(web::file(found, content_type(&path), &headers, cached))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
