//! Answers with files of the folder `web`, which are part of the binary.

use std::borrow::Cow;

use axum::{
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use rust_embed::EmbeddedFile;

/// Cache time of what may change: a browser asks each time if it has.
pub const ASK: &str = "no-cache";

/// Answer with the file, or without it to a browser that has it already.
pub fn file(
    file: EmbeddedFile,
    as_type: &str,
    asked: &HeaderMap,
    cached: &'static str,
) -> Response {
    let content = || {
        let content_type = [(CONTENT_TYPE, as_type)];
        match file.data {
            Cow::Borrowed(bytes) => (content_type, bytes).into_response(),
            Cow::Owned(bytes) => (content_type, bytes).into_response(),
        }
    };
    tagged(tag(&file.metadata.sha256_hash()), asked, cached, content)
}

/// Answer with a content of this tag, or without it to a browser that has it already.
pub fn tagged(
    tag: String,
    asked: &HeaderMap,
    cached: &'static str,
    content: impl FnOnce() -> Response,
) -> Response {
    let known = asked.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let answer = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { content() };
    ([(ETAG, tag), (CACHE_CONTROL, cached.to_owned())], answer).into_response()
}

/// Weak, because the same content is sent compressed too.
pub fn tag(hash: &[u8]) -> String {
    format!("W/\"{}\"", hex(&hash[..8]))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
