//! URLs and handlers of log ingest. Devices need no token.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Path, Query, Request, State, rejection::PathRejection},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    bodies::{LinesOut, LogIn, StatsOut, StoredOut},
    described::{BatchIn, DeviceId},
    reading, service,
};
use crate::{
    api::state::{AppState, SharedState},
    error::{Error, Problem},
    input::json_bytes,
};
use observe::params::Params;

pub fn router() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(one))
        .routes(routes!(batch))
        .routes(routes!(newest))
        .routes(routes!(stats))
}

/// Lines of an answer to a request without `limit`: a screenful or two.
const DEFAULT_LIMIT: u32 = 100;

/// Most lines of one answer: as many as one batch has.
const MAX_LIMIT: u32 = 1_000;

/// Stores one line.
///
/// The answer comes when the line is on disk. After a 503 it may or may not have been stored.
#[utoipa::path(post, path = "/api/log", tag = "logs", request_body = LogIn, responses(
    (status = OK, body = StoredOut, description = "the line is on disk"),
    (status = SERVICE_UNAVAILABLE, body = Problem,
     description = "too many lines wait already, or the database is down: try again later")
))]
async fn one(
    State(AppState { logs, .. }): State<AppState>,
    request: Request,
) -> Result<Json<StoredOut>, Error> {
    let body = json_bytes(request, reading::MAX_BYTES).await?;
    Ok(Json(service::store(&logs, reading::one(&body)?).await?))
}

/// Stores 1 to 1,000 lines, all of them or none.
///
/// The answer comes when they are on disk. After a 503 they may or may not have been stored.
#[utoipa::path(post, path = "/api/logs/batch", tag = "logs", request_body = BatchIn, responses(
    (status = OK, body = StoredOut, description = "the lines are on disk"),
    (status = UNPROCESSABLE_ENTITY, body = Problem,
     description = "every bad field of every bad line, as `logs[3].log_level`"),
    (status = SERVICE_UNAVAILABLE, body = Problem,
     description = "too many lines wait already, or the database is down: try again later")
))]
async fn batch(
    State(AppState { logs, .. }): State<AppState>,
    request: Request,
) -> Result<Json<StoredOut>, Error> {
    let body = json_bytes(request, reading::MAX_BYTES).await?;
    Ok(Json(service::store(&logs, reading::batch(&body)?).await?))
}

/// Lines of a device, newest first. A device that has none gets an empty list.
#[utoipa::path(get, path = "/api/logs/{device_id}", tag = "logs", params(
    ("device_id" = DeviceId, Path, description = "as its lines have it", example = "sensor-17"),
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
     description = "most lines of the answer, 100 if it is left out; it ends at 1 MiB of lines too"),
    ("before" = Option<i64>, Query, minimum = 1,
     description = "only lines older than this: `next_before` of the answer before"),
), responses(
    (status = OK, body = LinesOut, description = "lines of the device"),
    (status = NOT_FOUND, body = Problem, description = "no device can have this name"),
    (status = METHOD_NOT_ALLOWED, body = Problem, description = "`batch`, which is the path of batches")
))]
async fn newest(
    State(AppState { db, .. }): State<AppState>,
    device_id: Result<Path<String>, PathRejection>,
    Query(params): Query<HashMap<String, String>>,
) -> Result<Json<LinesOut>, Error> {
    let device_id = device_id.ok().filter(|Path(name)| reading::is_device(name));
    let Path(device_id) =
        device_id.ok_or_else(|| Error::NotFound("no device can have this name".to_owned()))?;
    let mut params = Params::new(params);
    let limit = params.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT);
    let before = params.optional_id("before");
    params.finish()?;
    Ok(Json(service::newest(&db, &device_id, before, limit).await?))
}

/// All lines that were ever stored, and how this instance is doing.
#[utoipa::path(get, path = "/api/stats", tag = "logs", responses(
    (status = OK, body = StatsOut, description = "counts and rates")
))]
async fn stats(State(AppState { db, logs, .. }): State<AppState>) -> Result<Json<StatsOut>, Error> {
    Ok(Json(service::stats(&db, &logs).await?))
}
