//! The product that carries the lessons. Each resource goes routes → service → repository.

use axum::{Extension, middleware::from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;

use self::concurrency::Model;
use crate::{edge::Deadline, state::SharedState};

/// Register, log in, refresh, log out; and who sends a request.
pub mod auth;
/// Which concurrency model serves a request.
pub mod concurrency;
/// Lists that end at a number of bytes.
mod fitting;
/// Whether the server is up, and whether it can do its work.
pub mod health;
/// What makes /api/v1 the synchronous server that people come from.
pub mod held_threads;
/// How often a caller may ask.
pub mod limits;
/// Log ingest, and statistics of it.
pub mod logs;
/// The document that describes all of it.
pub mod openapi;
/// Posts and their comments.
pub mod posts;
/// Todos, each its owner's alone.
pub mod todos;

/// Everything but the labs, with its description.
pub fn router(state: &SharedState) -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        // The model goes first: it must be known wherever the request runs.
        .nest(
            "/api/v1",
            for_users()
                .layer(state.held_threads.clone())
                // On threads apart: whoever waits to hash keeps none of the others waiting.
                .merge(auth::with_password(state, Some(state.password_threads.clone())))
                .layer(Extension(Model::Held)),
        )
        .nest(
            "/api/v2",
            for_users().merge(auth::with_password(state, None)).layer(Extension(Model::Async)),
        )
        .merge(posts::router())
        .merge(logs::router())
        // All that comes before, and nothing that comes after.
        .layer((
            Deadline(state.config.request_timeout),
            from_fn_with_state(state.clone(), limits::by_user),
        ))
        .merge(health::router())
}

/// Served twice, under two concurrency models, as is `auth::with_password`.
fn for_users() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().merge(auth::sessions()).merge(todos::router())
}
