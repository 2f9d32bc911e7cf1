//! Errors of requests, and the one place that turns an error into an answer (RFC 9457).
//!
//! The cause goes to the log, never to the client.

use std::time::Duration;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
pub use observe::error::{FieldError, Problem};
use observe::error::{fields, problem};
use sea_orm::DbErr;

use crate::{
    db::{is_orphan, is_unavailable},
    quota::Quota,
};

/// Seconds after which a client may try again when a dependency is down.
const RETRY_AFTER_SECONDS: u32 = 1;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    NotFound(String),
    #[error("this method is not allowed here; the Allow header lists those that are")]
    MethodNotAllowed,
    #[error("{0}")]
    Malformed(String),
    #[error("the content type must be application/json")]
    NotJson,
    #[error("the body is larger than the {max_bytes} bytes allowed here")]
    TooLarge { max_bytes: usize },
    #[error("{} of the request can't be used", fields(.0))]
    Invalid(Vec<FieldError>),
    #[error("{0}")]
    Unauthorized(&'static str),
    /// A refresh token was sent twice at about the same time, as two windows of a browser do.
    #[error("the refresh token was used a moment ago; the newer one is with whoever used it")]
    JustUsed,
    /// A token was sent that gives no access.
    #[error("the access token is {0}")]
    InvalidToken(&'static str),
    #[error("one Authorization header is needed, not several")]
    SeveralTokens,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotSupported(String),
    #[error("this takes longer than the {0} seconds a request body may take")]
    TooSlow(u64),
    #[error("{} requests in {} seconds are allowed here", .0.limit, .0.window_seconds)]
    TooMany(Quota),
    #[error("{0}")]
    Overloaded(&'static str),
    #[error(
        "no answer was found within the {0:?} that a request may take; what it was to change may be \
         changed all the same"
    )]
    TookTooLong(Duration),
    #[error("the {part} is not available")]
    Unavailable { part: &'static str, cause: String },
    #[error("the server failed to answer; the request id leads to the cause in its log")]
    Internal { cause: String },
}

impl Error {
    pub fn no_route() -> Self {
        Self::NotFound("nothing is served at this path".to_owned())
    }

    /// Error of a token that has outlived its account.
    pub fn no_account() -> Self {
        Self::Unauthorized("this account is gone")
    }

    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Malformed(_) | Self::SeveralTokens => StatusCode::BAD_REQUEST,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unauthorized(_) | Self::JustUsed | Self::InvalidToken(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotSupported(_) => StatusCode::NOT_IMPLEMENTED,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } | Self::Overloaded(_) | Self::TookTooLong(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// WWW-Authenticate header of an answer to a request without a valid token, as RFC 6750
    /// requires it: the scheme never stands alone.
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Unauthorized(_) => Some("Bearer realm=\"chokepoint\""),
            // For programs: it is worth while to look for the newer token.
            Self::JustUsed => {
                Some("Bearer error=\"invalid_token\", error_description=\"just used\"")
            }
            Self::InvalidToken(_) => Some("Bearer error=\"invalid_token\""),
            Self::SeveralTokens => Some("Bearer error=\"invalid_request\""),
            _ => None,
        }
    }
}

impl From<DbErr> for Error {
    /// Maps a database that is down to 503, a missing parent row to 409, all else to 500.
    fn from(error: DbErr) -> Self {
        let cause = error.to_string();
        if is_unavailable(&error) {
            Self::Unavailable { part: "database", cause }
        } else if is_orphan(&error) {
            // The row was deleted in between, such as the account behind a valid token.
            Self::Conflict("what this belongs to is no longer there".to_owned())
        } else {
            Self::Internal { cause }
        }
    }
}

impl From<observe::error::Error> for Error {
    fn from(error: observe::error::Error) -> Self {
        match error {
            observe::error::Error::NotFound(detail) => Self::NotFound(detail),
            observe::error::Error::Invalid(errors) => Self::Invalid(errors),
            observe::error::Error::Conflict(detail) => Self::Conflict(detail),
            observe::error::Error::NotSupported(detail) => Self::NotSupported(detail),
            observe::error::Error::Internal { cause } => Self::Internal { cause },
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Unavailable { cause, .. } | Self::Internal { cause } = &self {
            tracing::error!(status = status.as_u16(), cause, "request failed");
        }
        let detail = self.to_string();
        let errors = if let Self::Invalid(errors) = &self { Some(errors.clone()) } else { None };
        let mut response = problem(status, detail, errors);
        let headers = response.headers_mut();
        if let Self::TooMany(quota) = &self {
            quota.add_to(headers);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        if matches!(self, Self::TooLarge { .. } | Self::NotJson | Self::TooSlow(_)) {
            // Only a part of a refused body is drained (`edge::unread`), so nothing may follow it
            // on this connection: a client that is not informed may send its next request there,
            // and never get an answer.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// Answer of a handler that panicked, in the same shape as every other error.
pub fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Error::Internal {
        cause: format!("handler panicked: {}", observe::shown::panic_message(&*panic)),
    }
    .into_response()
}
