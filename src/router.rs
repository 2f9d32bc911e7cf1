//! The whole URL space of the app port in one place, and the layers around it.

use axum::Router;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api,
    error::{self, Error},
    pages,
    state::AppState,
    telemetry::{Telemetry, http::Observe, metrics, route_metrics::Routes},
};

/// Every route, and an answer for what is none.
fn routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(pages::front::router())
        .merge(api::health::router())
        .merge(state.labs.router(state))
        .fallback(async || Error::no_route())
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
}

/// The app as it is served. The last layer added sees a request first.
pub fn observed(state: AppState, telemetry: &Telemetry) -> Router {
    let routes_measured = Routes::new(state.labs.measured_routes());
    routes(&state)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(metrics::http_layer())
        .layer(Observe::app(telemetry.access.clone(), routes_measured))
        .with_state(state)
}

/// The same handlers with nothing around them, to measure what the layers cost.
pub fn bare(state: AppState) -> Router {
    routes(&state).with_state(state)
}
