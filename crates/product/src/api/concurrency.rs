//! Concurrency model of a request: the only difference that handlers of v1 and v2 see.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

/// Concurrency model, carried by each request as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The request holds a thread of its own until it is answered, and may block it.
    Held,
    /// The request shares its worker thread with others, and must not block it.
    Async,
}

impl<S: Send + Sync> FromRequestParts<S> for Model {
    type Rejection = Infallible;

    /// Defaults to `Async`: without the extension a thread must not be blocked.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::Async))
    }
}
