//! Chooses HTML for people or JSON for programs, by the `format` parameter or by `Accept`.

use axum::http::{HeaderMap, header::ACCEPT};

use crate::params::Params;

#[derive(Clone, Copy)]
pub enum Format {
    Html,
    Json,
}

pub fn format(params: &mut Params, headers: &HeaderMap) -> Format {
    let accepted = if wants_html(headers) { Format::Html } else { Format::Json };
    let formats = [("html", Format::Html), ("json", Format::Json)];
    params.one_of("format", &formats, Some(accepted)).unwrap_or(accepted)
}

pub fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
