//! Calls to other services: counted on the request that makes them, and part of its trace.

use std::{future::Future, time::Instant};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri},
};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    cost::Counter,
    request_cost::{self, Call},
    request_id::{Ids, REQUEST_ID},
    totals,
    traces::{HeadSampler, Recent, propagation, request},
};

/// Awaits a call to another service, and counts it with its time.
pub async fn call<T>(call: impl Future<Output = T>) -> T {
    let _under_way = request_cost::call(Call::Upstream);
    request_cost::add(Counter::UpstreamCalls, 1);
    // A caller that gives up has waited too.
    let _waiting = Waiting(Instant::now());
    call.await
}

struct Waiting(Instant);

impl Drop for Waiting {
    fn drop(&mut self) {
        request_cost::add_time(Counter::UpstreamMs, self.0.elapsed());
    }
}

/// Header of a request that `call` has counted.
pub const COUNTED: HeaderName = HeaderName::from_static("x-counted");

/// Counts a call as a service in this process sees it, if its client did not: no request's record has
/// it, but the totals have.
pub fn arrived(headers: &HeaderMap) {
    if !headers.contains_key(COUNTED) {
        totals::add_for_app(Counter::UpstreamCalls, 1);
    }
}

/// Counts a connection that had to be opened for a call.
pub fn connected() {
    request_cost::add(Counter::UpstreamConnections, 1);
}

/// Client span of a call over HTTP, by OpenTelemetry's conventions.
pub struct ClientSpan(Span);

impl ClientSpan {
    /// Opens the span below the current one. The call of an untraced request has a disabled span.
    pub fn open(method: &Method, url: &Uri) -> Self {
        // Then no text is built.
        if Span::current().is_none() {
            return Self(Span::none());
        }
        let (method, path) = (method.as_str(), url.path());
        let authority = url.authority().map_or("", |authority| authority.as_str());
        Self(tracing::info_span!(
            "call",
            otel.name = format!("{method} {path}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            "error.type" = Empty,
            server.address = url.host(),
            server.port = url.port_u16().map(i64::from),
            // Without the query, which may hold secrets.
            url.full = format!("{}://{authority}{path}", url.scheme_str().unwrap_or("http")),
        ))
    }

    /// Sets the headers by which the other service continues the trace, and logs the same ids. Of
    /// an untraced request they say that nobody keeps it.
    pub fn propagate(&self, headers: &mut HeaderMap) {
        let request_cost = request_cost::current();
        let ids = request_cost.as_ref().map(|request_cost| &request_cost.ids);
        if let Some(id) = ids.and_then(|ids| HeaderValue::from_str(&ids.request).ok()) {
            headers.insert(REQUEST_ID, id);
        }
        if !self.0.is_disabled() {
            let span = self.0.context().span().span_context().clone();
            propagation::inject(&propagation::as_kept(&span), headers);
        } else if let Some(ids) = ids {
            propagation::inject(&untraced(ids), headers);
        }
    }

    /// Records the status of the answer. To a client 4xx is an error too.
    pub fn answered(&self, status: u16) {
        self.0.record("http.response.status_code", i64::from(status));
        if status >= 400 {
            self.0.record("otel.status_code", "ERROR").record("error.type", status.to_string());
        }
    }

    /// Records that no answer came. `error` is the kind of failure, such as `timeout`.
    pub fn failed(&self, error: &'static str) {
        self.0.record("otel.status_code", "ERROR").record("error.type", error);
    }
}

fn untraced(ids: &Ids) -> SpanContext {
    let span_id = SpanId::from(fastrand::u64(1..));
    let flags = TraceFlags::default();
    SpanContext::new(ids.trace_id(), span_id, flags, false, TraceState::NONE)
}

/// Server span of a request to a service that runs in this process. It continues the caller's trace
/// if that is kept or exported; else it is disabled.
pub fn served(
    sampler: Option<&HeadSampler>,
    request: &Request,
    route: &str,
    caller: String,
) -> Span {
    let (Some(sampler), Some(parent)) = (sampler, propagation::parent(request.headers())) else {
        return Span::none();
    };
    let trace_id = parent.trace_id();
    // With a parent the number of recent traces does not matter.
    let head = sampler.decide(|| trace_id, Some(&parent), &Recent::default(), Instant::now());
    let Some(head) = head else { return Span::none() };
    let ids = Ids::of(request.headers(), Some(trace_id));
    let span = request::open(head, Some(parent), request, Some(route), &ids.request);
    span.set_attribute(request::CALLER, caller);
    span
}

/// Records the status of an answer on the span of `served`.
pub fn was_served(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR").record("error.type", status.to_string());
    }
}
