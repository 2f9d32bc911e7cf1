//! All routes of the app port in one place, and the layers around them.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn_with_state, map_response_with_state},
};
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;

use crate::front;
use observe::{Telemetry, http::Observe, metrics_layer, route_metrics::Routes};
use product::{
    api::state::SharedState,
    api::{self, openapi},
    edge::{self, Compress, Crowd},
    error::{self, Error},
};
use workshop::{Labs, upstream};

/// Default of concurrent requests of one client behind a proxy: a class has one address.
const PER_CLIENT: u32 = 1_000;

/// All routes, and the answers for unknown paths and methods.
fn routes(
    state: &SharedState,
    labs: &Labs,
    upstream: &upstream::Service,
    ops: SocketAddr,
) -> Router<SharedState> {
    let (api, mut description) = api::router(state).split_for_parts();
    description.merge(openapi::described());
    description.merge(labs.described());
    Router::new()
        .merge(front::router(&state.config, ops))
        .merge(api)
        .merge(labs.router(state, upstream))
        .merge(openapi::router(&openapi::complete(description)))
        .fallback(async || Error::no_route())
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
}

/// The app with its layers. The first layer listed sees a request first.
pub fn observed(
    state: SharedState,
    labs: &Labs,
    upstream: &upstream::Service,
    ops: SocketAddr,
    telemetry: &Telemetry,
    routes_measured: Arc<Routes>,
) -> Router {
    let mut router = routes(&state, labs, upstream, ops);
    if let Some(ops) = edge::OpsUrl::of(&state.config) {
        router = router.layer(map_response_with_state(ops, edge::name_ops));
    }
    if let Some(cors) = edge::cors(&state.config.limits.cors_origins) {
        router = router.layer(cors);
    }
    if !state.proxies.is_empty() {
        router = router.layer(from_fn_with_state(state.proxies.clone(), edge::demand_tls));
        let most = state.config.connections.max_connections_per_address.unwrap_or(PER_CLIENT);
        let crowd = Crowd::new(state.proxies.clone(), most);
        router = router.layer(from_fn_with_state(crowd, edge::bound_the_crowd));
    }
    router
        // As one layer, because each call of `layer` boxes every request once more.
        .layer((
            MapRequestLayer::new(edge::drain_body),
            Observe::app(telemetry.access.clone(), routes_measured, telemetry.traces.sampler()),
            metrics_layer::layer(),
            CatchPanicLayer::custom(error::panicked),
            // Outside of gzip, so that compressed bytes are counted.
            edge::HoldAnswers,
            edge::DemandHost,
            Compress,
        ))
        .with_state(state)
}

/// The same handlers without layers, to measure what the layers cost.
pub fn bare(
    state: SharedState,
    labs: &Labs,
    upstream: &upstream::Service,
    ops: SocketAddr,
) -> Router {
    routes(&state, labs, upstream, ops).with_state(state)
}
