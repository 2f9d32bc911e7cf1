//! Routes of the ops port, which has its own runtime and answers while every app worker is held:
//! `/metrics`, `/debug/pprof`, `/debug/traces`, `/debug/blocked`.

use std::sync::Arc;

use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};

use crate::{
    blocked::BlockedPolls,
    labels::RouteLabels,
    metrics::Metrics,
    profiles::{self, Captures, ProfileState},
    route_metrics::Routes,
    runtime::Runtimes,
    traces::ring::TraceRing,
};

/// `/debug/blocked`: the last polls that held a worker.
mod blocked;
/// `/debug/traces`: recent traces.
mod traces;

/// State of the routes.
#[derive(Clone)]
pub struct Ops {
    pub metrics: Arc<Metrics>,
    pub runtimes: Runtimes,
    pub traces: Arc<TraceRing>,
    pub captures: Arc<Captures>,
    pub blocked: Arc<BlockedPolls>,
    pub routes: Arc<Routes>,
    pub labels: Arc<RouteLabels>,
    /// Sets the program's own gauges before each scrape.
    pub before_scrape: fn(),
}

/// Returns the routes without a layer: the program that serves them controls access.
pub fn router<S: Clone + Send + Sync + 'static>(ops: Ops) -> Router<S> {
    let profiles = ProfileState { captures: ops.captures.clone(), labels: ops.labels.clone() };
    Router::new()
        .route("/metrics", get(metrics))
        .merge(traces::router())
        .merge(blocked::router())
        .with_state(ops)
        .merge(profiles::router(profiles))
}

async fn metrics(
    State(Ops { metrics, runtimes, routes, traces, before_scrape, .. }): State<Ops>,
) -> impl IntoResponse {
    const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    traces.holding().report();
    before_scrape();
    let mut histograms = String::new();
    runtimes.push_poll_histograms(&mut histograms);
    routes.push_histograms(&mut histograms);
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render(&histograms))
}
