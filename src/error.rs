//! Every way a request can fail, and the one place that turns a failure into an answer (RFC 9457).
//!
//! The cause goes to the log, never to the client.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;
use serde::Serialize;

use crate::telemetry::budget;

/// Seconds after which a client may try again when a dependency is down.
const RETRY_AFTER_SECONDS: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    NotFound(String),
    #[error("this method is not allowed here; the Allow header lists those that are")]
    MethodNotAllowed,
    #[error("{} of the request can't be used", fields(.0))]
    Invalid(Vec<FieldError>),
    #[error("a valid bearer token is needed")]
    Unauthorized,
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotSupported(String),
    #[error("the {part} is not available")]
    Unavailable { part: &'static str, cause: String },
    #[error("the server failed to answer; the request id leads to the cause in its log")]
    Internal { cause: String },
}

/// One thing wrong with one part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

fn fields(errors: &[FieldError]) -> String {
    errors.iter().map(|e| e.field).collect::<Vec<_>>().join(", ")
}

impl Error {
    pub fn no_route() -> Self {
        Self::NotFound("nothing is served at this path".to_owned())
    }

    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotSupported(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<DbErr> for Error {
    /// A connection that can't be had is a dependency down; anything else is our own mistake.
    fn from(error: DbErr) -> Self {
        let cause = error.to_string();
        let is_busy = ["database is locked", "unable to open database file", "disk I/O error"]
            .iter()
            .any(|known| cause.contains(known));
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => {
                Self::Unavailable { part: "database", cause }
            }
            _ if is_busy => Self::Unavailable { part: "database", cause },
            _ => Self::Internal { cause },
        }
    }
}

/// `application/problem+json` as RFC 9457 has it, with the two ids that lead to the log.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    request_id: String,
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldError]>,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Unavailable { cause, .. } | Self::Internal { cause } = &self {
            tracing::error!(status = status.as_u16(), cause, "request failed");
        }
        let mut problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            request_id: String::new(),
            trace_id: String::new(),
            errors: if let Self::Invalid(errors) = &self { Some(errors) } else { None },
        };
        budget::with(|b| {
            problem.request_id.clone_from(&b.ids.request);
            problem.trace_id.clone_from(&b.ids.trace);
        });
        let mut response = (status, Json(&problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(self, Self::Unavailable { .. }) {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        if matches!(self, Self::Unauthorized) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The answer to a handler that panicked: the same shape as every other error.
pub fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let cause = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Error::Internal { cause: format!("handler panicked: {cause}") }.into_response()
}
