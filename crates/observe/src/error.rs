//! Errors of this crate's routes, and the answer that all errors of a server share (RFC 9457).
//!
//! The cause goes to the log, never to the client.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::request_cost;

/// Error of a request for a profile, a trace or a metric.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    NotFound(String),
    #[error("{} of the request can't be used", fields(.0))]
    Invalid(Vec<FieldError>),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotSupported(String),
    #[error("the server failed to answer; the request id leads to the cause in its log")]
    Internal { cause: String },
}

/// Error of one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub field: Cow<'static, str>,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Most fields that the detail names; `errors` has all of them.
const NAMED: usize = 5;

/// Names of the invalid fields, for the sentence in the detail.
pub fn fields(errors: &[FieldError]) -> String {
    let names: Vec<_> = errors.iter().take(NAMED).map(|e| e.field.as_ref()).collect();
    match errors.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

impl Error {
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let (status, errors) = match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, None),
            Self::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, Some(errors)),
            Self::Conflict(_) => (StatusCode::CONFLICT, None),
            Self::NotSupported(_) => (StatusCode::NOT_IMPLEMENTED, None),
            Self::Internal { cause } => {
                tracing::error!(status = 500, cause, "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, None)
            }
        };
        problem(status, detail, errors)
    }
}

/// `application/problem+json` by RFC 9457, with the two ids that lead to the log.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    #[cfg_attr(feature = "openapi", schema(example = "about:blank"))]
    r#type: &'static str,
    #[cfg_attr(feature = "openapi", schema(example = "Unprocessable Entity"))]
    title: &'static str,
    #[cfg_attr(feature = "openapi", schema(example = 422))]
    status: u16,
    detail: String,
    request_id: String,
    trace_id: String,
    /// All invalid fields of the request, for status 422.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<FieldError>, required = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FieldError>>,
}

/// Answer to a request that failed.
pub fn problem(status: StatusCode, detail: String, errors: Option<Vec<FieldError>>) -> Response {
    let mut problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
        request_id: String::new(),
        trace_id: String::new(),
        errors,
    };
    request_cost::with(|b| {
        problem.request_id.push_str(&b.ids.request);
        problem.trace_id.push_str(&b.ids.trace);
    });
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    (status, content_type, Json(&problem).into_response().into_body()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Systems that run the tests have all features, so no other test sees this answer.
    #[test]
    fn features_that_a_system_lacks_are_501() {
        let error = Error::NotSupported("wall-clock profiles need Linux".to_owned());
        assert_eq!(error.into_response().status(), StatusCode::NOT_IMPLEMENTED);
    }
}
