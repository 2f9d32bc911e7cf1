//! The catalogue, one lab, its measurements and its reset.

use std::{collections::HashMap, time::SystemTime};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

use super::OpsState;
use observe::{format::wants_html, measurements::Summary, params::Params};
use product::error::Error;
use workshop::{
    evidence::Evidence,
    lab::{Labs, LoadedLab},
};

/// HTML pages.
mod page;

pub fn router() -> Router<OpsState> {
    Router::new()
        .route("/", get(front))
        .route("/labs", get(catalogue))
        .route("/labs/{id}", get(one))
        .route("/labs/{id}/measurements", get(measurements))
        .route("/labs/{id}/reset", post(reset))
}

async fn front(State(OpsState { labs, .. }): State<OpsState>) -> Response {
    page::catalogue(&labs).into_response()
}

#[derive(Serialize)]
struct LabOut<'a> {
    id: &'a str,
    readme: &'a str,
    evidence: &'a Evidence,
}

async fn catalogue(State(OpsState { labs, .. }): State<OpsState>, headers: HeaderMap) -> Response {
    if wants_html(&headers) {
        return page::catalogue(&labs).into_response();
    }
    let out = |loaded: &LoadedLab| {
        serde_json::json!({
            "id": loaded.lab.id,
            "title": loaded.evidence.title,
            "area": loaded.evidence.area,
            "order": loaded.evidence.order,
            "question": loaded.evidence.question,
        })
    };
    Json(labs.all().iter().map(out).collect::<Vec<_>>()).into_response()
}

async fn one(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    if wants_html(&headers) {
        return Ok(page::lab(loaded).into_response());
    }
    let LoadedLab { lab, evidence, .. } = loaded;
    Ok(Json(LabOut { id: lab.id, readme: lab.readme, evidence }).into_response())
}

#[derive(Serialize)]
struct MeasurementsOut<'a> {
    lab: &'a str,
    variant: &'a str,
    since: Option<String>,
    #[serde(flatten)]
    summary: Summary,
}

async fn measurements(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<Path<String>, PathRejection>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    let mut params = Params::new(query);
    let variants: Vec<(&str, &str)> = loaded.evidence.variants().map(|v| (v, v)).collect();
    let variant = params.one_of("variant", &variants, None);
    let since: Option<SystemTime> = params.moment("since");
    params.finish()?;
    let kept = variant.and_then(|variant| Some((variant, loaded.measurements(variant)?)));
    let (variant, kept) = kept.ok_or_else(Error::no_route)?;
    let out = MeasurementsOut {
        lab: loaded.lab.id,
        variant,
        since: since.map(|since| humantime::format_rfc3339_nanos(since).to_string()),
        summary: kept.since(since),
    };
    Ok(Json(out).into_response())
}

/// Resets the lab's data, if it has been opened, and its measurements.
async fn reset(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    Ok(match loaded.reset().await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(not_open) => not_open.into_response(),
    })
}

/// Finds a lab. An id that is not UTF-8 is an unknown lab too.
fn find(labs: &Labs, id: Result<Path<String>, PathRejection>) -> Result<&LoadedLab, Error> {
    let Path(id) = id.map_err(|_| Error::no_route())?;
    labs.get(&id).ok_or_else(|| Error::NotFound(format!("there is no lab {id:?}; /labs lists all")))
}
