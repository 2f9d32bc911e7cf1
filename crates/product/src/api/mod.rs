//! The product, which the labs build on. Each resource goes routes → service → repository.

use axum::{Extension, middleware::from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;

use self::concurrency::Model;
use self::state::SharedState;
use crate::edge::Deadline;

/// Accounts and sessions: register, log in, refresh, log out; and the user of a request.
pub mod auth;
/// Concurrency model of a request.
pub mod concurrency;
/// Limit on the bytes of a list.
mod fitting;
/// Health probes: the server is up, and it can do its work.
pub mod health;
/// Rate limits.
pub mod limits;
/// Log ingest, and statistics of it.
pub mod logs;
/// OpenAPI document of the app port.
pub mod openapi;
/// Posts and their comments.
pub mod posts;
/// Thread-per-request pool, which makes /api/v1 a synchronous server.
pub mod request_threads;
/// Parts that handlers may take.
pub mod state;
/// Todos, each its owner's alone.
pub mod todos;

/// Router of everything but the labs, with its OpenAPI description.
pub fn router(state: &SharedState) -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        // The model goes first: it must be known wherever the request runs.
        .nest(
            "/api/v1",
            for_users()
                .layer(state.request_threads.clone())
                // A pool of their own: requests that wait to hash keep no others waiting.
                .merge(auth::with_password(state, Some(state.password_threads.clone())))
                .layer(Extension(Model::Held)),
        )
        .nest(
            "/api/v2",
            for_users().merge(auth::with_password(state, None)).layer(Extension(Model::Async)),
        )
        .merge(posts::router())
        .merge(logs::router())
        // Applies to everything above, and to nothing below.
        .layer((
            Deadline(state.config.request_timeout),
            from_fn_with_state(state.clone(), limits::by_user),
        ))
        .merge(health::router())
}

/// Templates of these routes.
pub fn routes(state: &SharedState) -> impl Iterator<Item = String> {
    router(state).into_openapi().paths.paths.into_keys()
}

/// Routes that are served twice, under two concurrency models, as is `auth::with_password`.
fn for_users() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().merge(auth::sessions()).merge(todos::router())
}
