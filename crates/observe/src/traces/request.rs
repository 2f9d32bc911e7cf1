//! Span of a request, by OpenTelemetry's conventions for HTTP servers, with the request cost.

use axum::{extract::Request, http::Method, http::header::USER_AGENT};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::sampler::Decision;
use crate::cost::{Cost, Counter, row::Unit};

/// Name and target of the request's span, the only one that needs no parent.
pub const NAME: &str = "request";
pub const TARGET: &str = module_path!();

/// Attribute of requests to another service in this process: parts of a trace, and none of the app's
/// own requests.
pub const CALLER: &str = "chokepoint.upstream.caller";

/// Value for a method that HTTP does not define.
const OTHER_METHOD: &str = "_OTHER";

/// Opens the span and gives it its ids.
pub fn open(
    head: Decision,
    parent: Option<SpanContext>,
    request: &Request,
    route: Option<&str>,
    request_id: &str,
) -> Span {
    let mut cx = Context::new().with_value(head);
    if let Some(parent) = parent {
        cx = cx.with_remote_span_context(parent);
    }
    let _as_parent = cx.attach();
    let span = span(request, route, request_id);
    // Starts the span now: its first child would start it later, without the context above.
    span.context();
    span
}

fn span(request: &Request, route: Option<&str>, request_id: &str) -> Span {
    let (method, original) = method(request.method());
    let name = match (method, route) {
        (OTHER_METHOD, Some(route)) => format!("HTTP {route}"),
        (OTHER_METHOD, None) => "HTTP".to_owned(),
        (method, Some(route)) => format!("{method} {route}"),
        (method, None) => method.to_owned(),
    };
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    tracing::error_span!(
        NAME,
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.request.method_original = original,
        http.route = route,
        http.response.status_code = Empty,
        "error.type" = Empty,
        url.scheme = "http",
        // Path without the query, which may hold secrets.
        url.path = request.uri().path(),
        user_agent.original = header(USER_AGENT),
        chokepoint.request_id = request_id,
    )
}

/// Method by the conventions, and the original one if it differs.
fn method(method: &Method) -> (&str, Option<&str>) {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    match KNOWN.contains(method) {
        true => (method.as_str(), None),
        false => (OTHER_METHOD, Some(method.as_str())),
    }
}

/// Records status and cost, and ends the span. A client error (4xx) is no error of the server.
pub fn close(span: &Span, status: u16, cost: &Cost, own: &[Counter]) {
    if span.is_disabled() {
        return;
    }
    for (row, value) in cost.shown(own) {
        match row.unit {
            Unit::Count => span.set_attribute(row.names.attribute, int(value)),
            Unit::Time | Unit::Share => span.set_attribute(row.names.attribute, row.in_json(value)),
        }
    }
    let is_error = status >= 500;
    // Recording None records nothing.
    tracing::record_all!(
        span,
        http.response.status_code = i64::from(status),
        otel.status_code = is_error.then_some("ERROR"),
        "error.type" = is_error.then(|| status.to_string()),
    );
    // The span ends here; otherwise a thread that still holds it would end it later.
    span.context().span().end();
}

/// OpenTelemetry's whole numbers are signed; an unsigned one would become text.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
