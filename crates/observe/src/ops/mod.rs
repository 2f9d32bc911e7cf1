//! Routes of the ops port, which has its own runtime and answers while every app worker is held:
//! `/metrics`, `/debug/pprof`, `/debug/traces`, `/debug/blocked`, `/debug/live`, `/debug/totals`.

use std::sync::Arc;

use axum::{
    Json, Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};

use crate::{
    blocked::BlockedPolls,
    labels::RouteLabels,
    live::Live,
    metrics::Metrics,
    profiles::{self, Captures, ProfileState},
    runtime::Runtimes,
    totals,
    traces::store::SpanStore,
};

/// `/debug/blocked`: the last polls that held a worker.
mod blocked;
/// `/debug/live`: the app at this moment.
mod live;
/// `/debug/traces`: recent traces.
mod traces;

/// State of the routes.
#[derive(Clone)]
pub struct Ops {
    pub metrics: Arc<Metrics>,
    pub runtimes: Runtimes,
    pub traces: SpanStore,
    pub captures: Arc<Captures>,
    pub blocked: Arc<BlockedPolls>,
    pub labels: Arc<RouteLabels>,
    pub live: Live,
    /// Sets the program's own gauges before each scrape.
    pub before_scrape: fn(),
}

/// Returns the routes without a layer: the program that serves them controls access.
pub fn router<S: Clone + Send + Sync + 'static>(ops: Ops) -> Router<S> {
    let profiles = ProfileState { captures: ops.captures.clone(), labels: ops.labels.clone() };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/debug/totals", get(async || Json(totals::all())))
        .merge(traces::router())
        .merge(blocked::router())
        .merge(live::router())
        .with_state(ops)
        .merge(profiles::router(profiles))
}

async fn metrics(
    State(Ops { metrics, runtimes, traces, before_scrape, .. }): State<Ops>,
) -> impl IntoResponse {
    const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    traces.holding().report();
    before_scrape();
    let mut polls = String::new();
    runtimes.push_poll_histograms(&mut polls);
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render(&polls))
}
