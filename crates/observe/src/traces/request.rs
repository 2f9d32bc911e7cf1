//! Span of a request, by OpenTelemetry's conventions for HTTP servers, with the request cost.

use axum::{extract::Request, http::Method, http::header::USER_AGENT};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{recorder, sampler::Decision};
use crate::cost::{Cost, Counter};

/// Name and target of the request's span, the only one that needs no parent.
pub const NAME: &str = "request";
pub const TARGET: &str = module_path!();

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
    let make = || span(request, route, request_id);
    if !head.is_exported {
        return recorder::begin(head.trace_id, parent, make);
    }
    let mut cx = Context::new().with_value(head);
    if let Some(parent) = parent {
        cx = cx.with_remote_span_context(parent);
    }
    let _as_parent = cx.attach();
    let span = make();
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
        chokepoint.polls = Empty,
        chokepoint.longest_poll_ms = Empty,
        chokepoint.busy_ms = Empty,
        chokepoint.cpu_ms = Empty,
        chokepoint.off_cpu_ms = Empty,
        chokepoint.switches = Empty,
        chokepoint.queries = Empty,
        chokepoint.rows = Empty,
        chokepoint.commits = Empty,
        chokepoint.db_ms = Empty,
        chokepoint.pool_wait_ms = Empty,
        chokepoint.queue_wait_ms = Empty,
        chokepoint.cache_hits = Empty,
        chokepoint.cache_misses = Empty,
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
pub fn close(span: &Span, status: u16, cost: &Cost) {
    if span.is_disabled() {
        return;
    }
    let ms = |ns: u64| ns as f64 / 1e6;
    // Recording None records nothing.
    let of_thread = Counter::Switches.is_measured().then_some(cost);
    let is_error = status >= 500;
    // One call for all values: each call goes through every layer of the subscriber.
    tracing::record_all!(
        span,
        http.response.status_code = i64::from(status),
        otel.status_code = is_error.then_some("ERROR"),
        "error.type" = is_error.then(|| status.to_string()),
        chokepoint.polls = int(cost.polls),
        chokepoint.longest_poll_ms = ms(cost.longest_poll_ns),
        chokepoint.busy_ms = ms(cost.busy_ns),
        chokepoint.cpu_ms = of_thread.map(|cost| ms(cost.cpu_ns)),
        chokepoint.off_cpu_ms = of_thread.map(|cost| ms(cost.off_cpu_ns())),
        chokepoint.switches = of_thread.map(|cost| int(cost.switches)),
        chokepoint.queries = int(cost.queries),
        chokepoint.rows = int(cost.rows),
        chokepoint.commits = int(cost.commits),
        chokepoint.db_ms = ms(cost.db_ns),
        chokepoint.pool_wait_ms = ms(cost.pool_wait_ns),
        chokepoint.queue_wait_ms = ms(cost.queue_wait_ns),
        chokepoint.cache_hits = int(cost.cache_hits),
        chokepoint.cache_misses = int(cost.cache_misses),
    );
    // An exported span ends here; otherwise a thread that still holds it would end it later.
    span.context().span().end();
}

/// OpenTelemetry's whole numbers are signed; an unsigned one would become text.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
