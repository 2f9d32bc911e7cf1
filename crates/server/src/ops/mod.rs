//! The ops port. It has its own runtime, so it answers while every app worker is blocked.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

use observe::{http::Observe, log_filter::LogFilter, ops::Ops};
use product::{
    api::auth::bearer,
    edge::DemandHost,
    error::{self, Error},
};
use workshop::Labs;

/// Hosts and origins that ops accepts.
mod callers;
/// The catalogue, a lab's measurements and its reset.
mod labs;
/// `/log-filter`: the log filter, changed for a limited time.
mod log_filter;

pub use callers::Names;

#[derive(Clone)]
pub struct OpsState {
    pub observe: Ops,
    pub labs: Arc<Labs>,
    pub log_filter: LogFilter,
    /// Required as a bearer token, if set.
    pub token: Option<Arc<str>>,
    /// Hosts under which ops may be called.
    pub names: Names,
}

pub fn router(state: OpsState) -> Router {
    Router::new()
        .route("/health", get(async || Json(serde_json::json!({ "status": "up" }))))
        .merge(labs::router())
        .merge(log_filter::router())
        .merge(observe::ops::router(state.observe.clone()))
        .fallback(async || Error::no_route())
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(state.clone(), authorize))
        .merge(observe::html::style())
        .layer(middleware::from_fn_with_state(state.names.clone(), callers::check))
        .layer(DemandHost)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(Observe::ops())
        .with_state(state)
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

/// Compares in constant time: an early exit at the first difference could be measured.
fn is_same(a: &str, b: &str) -> bool {
    let differing = a.bytes().zip(b.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}
