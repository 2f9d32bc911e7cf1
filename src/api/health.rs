//! `/health/live` says the process answers, `/health/ready` that its dependencies do too.

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

use crate::{error::Error, state::AppState};

/// A dependency that needs longer than this for nothing is down.
const PATIENCE: Duration = Duration::from_secs(1);

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(ready))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

const UP: Json<Health> = Json(Health { status: "up" });

async fn live() -> Json<Health> {
    UP
}

async fn ready(State(AppState { db, .. }): State<AppState>) -> Result<Json<Health>, Error> {
    let down = |cause: String| Error::Unavailable { part: "database", cause };
    tokio::time::timeout(PATIENCE, db.ping())
        .await
        .map_err(|_| down(format!("no answer within {PATIENCE:?}")))?
        .map_err(|e| down(e.to_string()))?;
    Ok(UP)
}
