//! The ops port. It has its own runtime, so it answers while every app worker is blocked.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, middleware, routing::get};
use tower_http::catch_panic::CatchPanicLayer;

use observe::{http::Observe, log_filter::LogFilter, ops::Ops};
use product::{
    edge::DemandHost,
    error::{self, Error},
};
use workshop::{Labs, race::Races};

/// Access to ops: everything, or only watching.
mod access;
/// Scripts, styles and libraries of the pages.
mod assets;
/// Hosts and origins that ops accepts.
mod callers;
/// Errors as pages.
mod error_page;
/// The catalogue, a lab's measurements and its reset.
mod labs;
/// `/log-filter`: the log filter, changed for a limited time.
mod log_filter;
/// A race of two variants, and its followers.
mod race;
/// Cookies that stand for the token.
mod sessions;
/// yours.rs as it is on disk.
mod yours;

pub use callers::Names;
pub use sessions::Sessions;

#[derive(Clone)]
pub struct OpsState {
    pub observe: Ops,
    pub labs: Arc<Labs>,
    /// Where the app listens, for the commands on a lab's page.
    pub app_addr: SocketAddr,
    pub races: Arc<Races>,
    pub log_filter: LogFilter,
    /// The token that is required, if there is one, and what stands for it.
    pub sessions: Option<Arc<Sessions>>,
    /// Hosts under which ops may be called.
    pub names: Names,
}

pub fn router(state: OpsState) -> Router {
    Router::new()
        .route("/health", get(async || Json(serde_json::json!({ "status": "up" }))))
        .merge(labs::router())
        .merge(race::router())
        .merge(yours::router())
        .merge(sessions::links())
        .merge(log_filter::router())
        .merge(observe::ops::router(state.observe.clone()))
        .fallback(async || Error::no_route())
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(state.clone(), access::check))
        .merge(sessions::router())
        .merge(observe::html::look())
        .merge(assets::router())
        .layer(middleware::from_fn_with_state(state.names.clone(), callers::check))
        .layer(DemandHost)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn(error_page::show))
        .layer(Observe::ops())
        .with_state(state)
}
