//! Health probes: `/health/live` for the process, `/health/ready` for its dependencies too.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::state::{AppState, SharedState},
    error::{Error, Problem},
};

/// Longest wait for a ping; a dependency that needs longer is down.
const PATIENCE: Duration = Duration::from_secs(1);

pub fn router() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(live)).routes(routes!(ready))
}

#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "up")]
    status: &'static str,
}

const UP: Json<Health> = Json(Health { status: "up" });

/// Reports that the process answers.
#[utoipa::path(get, path = "/health/live", tag = "health", responses(
    (status = OK, body = Health, description = "it is up")
))]
async fn live() -> Json<Health> {
    UP
}

/// The same as `/health/ready`.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = OK, body = Health, description = "it is up"),
    (status = SERVICE_UNAVAILABLE, body = Problem, description = "a dependency is down")
))]
async fn health(state: State<AppState>) -> Result<Json<Health>, Error> {
    ready(state).await
}

/// Reports if the process and all that it needs answer, and writes are accepted.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = OK, body = Health, description = "it is up"),
    (status = SERVICE_UNAVAILABLE, body = Problem, description = "a dependency is down")
))]
async fn ready(
    State(AppState { db, leaving, .. }): State<AppState>,
) -> Result<Json<Health>, Error> {
    if leaving.load(Relaxed) {
        return Err(Error::Overloaded("this instance is stopping"));
    }
    let down = |cause: String| Error::Unavailable { part: "database", cause };
    let started = Instant::now();
    tokio::time::timeout(PATIENCE, db.ping())
        .await
        .map_err(|_| down(format!("no answer within {PATIENCE:?}")))?
        .map_err(|e| down(e.to_string()))?;
    db.takes_writes(PATIENCE.saturating_sub(started.elapsed()))
        .await
        .map_err(|cause| Error::Unavailable { part: "database's storage", cause })?;
    Ok(UP)
}
