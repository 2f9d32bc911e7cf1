//! The catalogue, the stage of one lab, its measurements and its reset.

use std::{collections::HashMap, path::Path, time::SystemTime};

use axum::{
    Json, Router,
    extract::{self, Query, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Serialize;

use super::{OpsState, assets};
use observe::{
    format::wants_html,
    measurements::Summary,
    params::Params,
    runtime::blocking_pool::{self, Pool},
};
use product::error::Error;
use stage::Stage;
use workshop::{
    evidence::Evidence,
    lab::{Labs, LoadedLab},
    progress::{FILE, Progress},
};

/// Page of all labs.
mod catalogue;
/// Page of one lab.
mod stage;

pub fn router() -> Router<OpsState> {
    Router::new()
        .route("/", get(front))
        .route("/labs", get(catalogue))
        .route("/labs/", get(catalogue))
        .route("/labs/{id}", get(one))
        .route("/labs/{id}/measurements", get(measurements))
        .route("/labs/{id}/reset", post(reset))
}

async fn front(State(OpsState { labs, .. }): State<OpsState>) -> Response {
    catalogue::page(&labs, &progress().await).into_response()
}

/// The learner's progress, as the command line writes it; none outside of a checkout, or if the file
/// can't be used, which `chokepoint labs` explains.
async fn progress() -> Progress {
    let read = || Progress::read(Path::new(FILE)).unwrap_or_default();
    blocking_pool::spawn(Pool::Ops, read).await.unwrap_or_default()
}

/// True if the server runs in a checkout, which has yours.rs.
async fn has_yours(loaded: &LoadedLab) -> bool {
    let file = loaded.folder().join("yours.rs");
    let look = move || file.is_file();
    blocking_pool::spawn(Pool::Ops, look).await.unwrap_or_default()
}

/// Style sheet of these pages.
fn stylesheet() -> Markup {
    html! { link rel="stylesheet" href={ (assets::PATH) "stage/stage.css" }; }
}

#[derive(Serialize)]
struct LabOut<'a> {
    id: &'a str,
    readme: &'a str,
    evidence: &'a Evidence,
}

async fn catalogue(State(OpsState { labs, .. }): State<OpsState>, headers: HeaderMap) -> Response {
    if wants_html(&headers) {
        return catalogue::page(&labs, &progress().await).into_response();
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
    State(OpsState { labs, races, app_addr, .. }): State<OpsState>,
    id: Result<extract::Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    if wants_html(&headers) {
        let progress = progress().await.of(loaded.lab.id);
        let has_yours = has_yours(loaded).await;
        let has_race = races.of(loaded.lab.id).is_some();
        let stage = Stage { labs: &labs, loaded, progress, has_race, has_yours, app_addr };
        return Ok(stage::page(&stage).into_response());
    }
    let LoadedLab { lab, evidence, .. } = loaded;
    Ok(Json(LabOut { id: lab.id, readme: lab.readme, evidence }).into_response())
}

#[derive(Serialize)]
struct MeasurementsOut<'a> {
    lab: &'a str,
    variant: &'a str,
    since: Option<String>,
    until: Option<String>,
    #[serde(flatten)]
    summary: Summary,
}

async fn measurements(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<extract::Path<String>, PathRejection>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    let mut params = Params::new(query);
    let variants: Vec<(&str, &str)> = loaded.evidence.variants().map(|v| (v, v)).collect();
    let variant = params.one_of("variant", &variants, None);
    let since: Option<SystemTime> = params.moment("since");
    let until: Option<SystemTime> = params.moment("until");
    params.finish()?;
    let kept = variant.and_then(|variant| Some((variant, loaded.measurements(variant)?)));
    let (variant, kept) = kept.ok_or_else(Error::no_route)?;
    let out = MeasurementsOut {
        lab: loaded.lab.id,
        variant,
        since: since.map(rfc3339),
        until: until.map(rfc3339),
        summary: kept.between(since, until),
    };
    Ok(Json(out).into_response())
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_nanos(time).to_string()
}

/// Resets the lab's data, if it has been opened, and its measurements.
async fn reset(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<extract::Path<String>, PathRejection>,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    Ok(match loaded.reset().await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(not_open) => not_open.into_response(),
    })
}

/// Finds a lab. An id that is not UTF-8 is an unknown lab too.
pub fn find(
    labs: &Labs,
    id: Result<extract::Path<String>, PathRejection>,
) -> Result<&LoadedLab, Error> {
    let extract::Path(id) = id.map_err(|_| Error::no_route())?;
    labs.get(&id).ok_or_else(|| Error::NotFound(format!("there is no lab {id:?}; /labs lists all")))
}
