//! `/debug/traces`: the recent requests and their spans; JSON or HTML.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::PathRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use opentelemetry::trace::TraceId;

use super::Ops;
use crate::{
    error::Error,
    format::{Format, format},
    params::Params,
    runtime::blocking_pool::{self, Pool},
};

/// Query parameters.
mod asked;
/// The list as JSON.
mod out;
/// HTML pages.
mod page;
/// Filter and selection of requests.
mod select;

use asked::Asked;
use out::ListOut;
use select::Selection;

pub fn router() -> Router<Ops> {
    Router::new()
        .route("/debug/traces", get(list))
        .route("/debug/traces/compare", get(compare))
        .route("/debug/traces/{trace_id}", get(one))
}

async fn list(
    State(Ops { labels, traces, .. }): State<Ops>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    // A form also sends the fields that are empty.
    let query: HashMap<_, _> = query.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let mut params = Params::new(query.clone());
    let format = format(&mut params, &headers);
    let asked = Asked::read(&query, &mut params, &labels);
    params.finish()?;
    let answer = move || {
        let found = Selection::of(traces.requests(), &asked.filter, asked.limit);
        let holding = traces.holding();
        match format {
            Format::Html => page::list(&found, &holding, &query, &labels).into_response(),
            Format::Json => Json(ListOut::new(&found, &holding, &labels)).into_response(),
        }
    };
    blocking_pool::spawn(Pool::Ops, answer).await.map_err(Error::internal)
}

async fn one(
    State(Ops { labels, traces, .. }): State<Ops>,
    id: Result<Path<String>, PathRejection>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let format = format(&mut params, &headers);
    params.finish()?;
    let id = id.ok().and_then(|Path(id)| trace_id(&id));
    let id = id.ok_or_else(|| {
        Error::NotFound("a trace id has 32 hexadecimal digits; /debug/traces lists all".to_owned())
    })?;
    let answer = move || {
        let trace = traces.get(id)?;
        Some(match format {
            Format::Html => page::one(&trace, &labels).into_response(),
            Format::Json => Json(traces.otlp(trace)).into_response(),
        })
    };
    let answer = blocking_pool::spawn(Pool::Ops, answer).await.map_err(Error::internal)?;
    answer.ok_or_else(|| not_kept(id))
}

/// Draws the traces `a` and `b` on one time scale.
async fn compare(
    State(Ops { labels, traces, .. }): State<Ops>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let ids = ["a", "b"].map(|name| {
        let needed = "a trace id of 32 hexadecimal digits";
        let id = params.parsed(name, trace_id, needed);
        if params.text(name).is_none() {
            params.refuse(name, format!("{needed} is needed"));
        }
        id.unwrap_or(TraceId::INVALID)
    });
    params.finish()?;
    let answer = move || {
        let [a, b] = ids.map(|id| traces.get(id).ok_or_else(|| not_kept(id)));
        Ok(page::compared([&a?, &b?], &labels).into_response())
    };
    blocking_pool::spawn(Pool::Ops, answer).await.map_err(Error::internal)?
}

fn not_kept(id: TraceId) -> Error {
    Error::NotFound(format!("no trace {id} is kept here: it was not recorded, or is too old"))
}

fn trace_id(text: &str) -> Option<TraceId> {
    let is_hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| TraceId::from_hex(text).ok())?
}
