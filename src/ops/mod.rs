//! The second port. It runs on a runtime of its own, so it answers while every app worker is held.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::header::CONTENT_TYPE,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::auth::bearer,
    edge::DemandHost,
    error::{self, Error},
    held_bytes, pages,
    state::SharedState,
    telemetry::{
        blocked::BlockedPolls, http::Observe, log_filter::LogFilter, metrics::Metrics,
        route_metrics::Routes, runtime::Runtimes, traces::ring::TraceRing,
    },
};

/// `/debug/blocked`: the last polls that held a worker.
mod blocked;
/// Which hosts and origins are served.
mod callers;
/// HTML or JSON.
mod format;
/// The catalogue, a lab's measurements and its reset.
mod labs;
/// `/log-filter`: what is logged, changed for a while.
mod log_filter;
/// `lab` and `variant` of a query.
mod named_lab;
/// `/debug/pprof`: profiles of this process.
mod profiles;
/// Recent traces.
mod traces;

pub use callers::Names;
pub use profiles::{
    Capture, CaptureList, Captures, FrameReader, HEAP_IS_HERE, Mode, Sampling as HeapSampling,
};

#[derive(Clone)]
pub struct OpsState {
    pub app: SharedState,
    pub metrics: Arc<Metrics>,
    pub runtimes: Runtimes,
    pub traces: Arc<TraceRing>,
    pub captures: Arc<Captures>,
    pub blocked: Arc<BlockedPolls>,
    pub routes: Arc<Routes>,
    pub log_filter: LogFilter,
    /// Demanded as a bearer token, if set.
    pub token: Option<Arc<str>>,
    /// What a request may call ops by.
    pub names: Names,
}

pub fn router(state: OpsState) -> Router {
    Router::new()
        .route("/health", get(async || Json(serde_json::json!({ "status": "up" }))))
        .route("/metrics", get(metrics))
        .merge(labs::router())
        .merge(traces::router())
        .merge(profiles::router())
        .merge(blocked::router())
        .merge(log_filter::router())
        .fallback(async || Error::no_route())
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(state.clone(), authorize))
        .merge(pages::style())
        .layer(middleware::from_fn_with_state(state.names.clone(), callers::check))
        .layer(DemandHost)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(Observe::ops())
        .with_state(state)
}

async fn metrics(
    State(OpsState { metrics, runtimes, routes, traces, .. }): State<OpsState>,
) -> impl IntoResponse {
    const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    traces.holding().report();
    held_bytes::report();
    let mut histograms = String::new();
    runtimes.push_poll_histograms(&mut histograms);
    routes.push_histograms(&mut histograms);
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render(&histograms))
}

async fn authorize(
    State(OpsState { token, .. }): State<OpsState>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let sent = bearer(request.headers());
    match token {
        Some(token) if !sent.is_some_and(|sent| is_same(sent, &token)) => {
            Err(Error::Unauthorized("the ops token is needed as a bearer token"))
        }
        _ => Ok(next.run(request).await),
    }
}

/// Compares without stopping at the first difference, which a clock could find.
fn is_same(a: &str, b: &str) -> bool {
    let differing = a.bytes().zip(b.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}
