//! `/debug/live`: what each worker polls now, and the requests in flight.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

use super::Ops;
use crate::live::{RouteNow, WorkerNow};

pub fn router() -> Router<Ops> {
    Router::new().route("/debug/live", get(now))
}

#[derive(Serialize)]
struct LiveOut {
    workers: Vec<WorkerNow>,
    in_flight: Vec<RouteNow>,
}

async fn now(State(Ops { live, .. }): State<Ops>) -> Json<LiveOut> {
    Json(LiveOut { workers: live.workers(), in_flight: live.in_flight() })
}
