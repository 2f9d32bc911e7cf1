//! The store, fed by a tracer.

use opentelemetry::{
    KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::*;

/// Bounds: evictions, full traces, and the estimate of bytes.
mod bounds;

const SMALL: usize = 1024 * 1024;
const LARGE: usize = 24 * SMALL;

fn store(max_bytes: usize) -> (SpanStore, SdkTracerProvider, SdkTracer) {
    let store = SpanStore::new(max_bytes);
    let resource = Resource::builder_empty().with_service_name("store-test").build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(store.clone())
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("test");
    (store, provider, tracer)
}

/// Context of a remote span of trace `id`.
fn remote(id: u128) -> Context {
    remote_with(id, TraceState::NONE)
}

fn remote_with(id: u128, state: TraceState) -> Context {
    let (span, flags) = (SpanId::from(7), TraceFlags::SAMPLED);
    let parent = SpanContext::new(TraceId::from(id), span, flags, true, state);
    Context::new().with_remote_span_context(parent)
}

/// Makes a request to a route, with so many queries.
fn request(tracer: &SdkTracer, id: u128, route: &'static str, queries: usize) {
    let attributes = [
        KeyValue::new("http.route", route),
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("http.response.status_code", 200),
    ];
    let request = tracer.span_builder(format!("GET {route}")).with_kind(SpanKind::Server);
    let request = request.with_attributes(attributes).start_with_context(tracer, &remote(id));
    let inside = Context::new().with_span(request);
    for _ in 0..queries {
        query(tracer, &inside);
    }
    inside.span().end();
}

fn query(tracer: &SdkTracer, inside: &Context) {
    let text = KeyValue::new("db.query.text", "SELECT name FROM users WHERE id = ?".to_owned());
    let query = tracer.span_builder("SELECT users").with_kind(SpanKind::Client);
    query.with_attributes([text]).start_with_context(tracer, inside).end();
}

#[test]
fn spans_are_gathered_by_trace() {
    let (store, _provider, tracer) = store(LARGE);
    request(&tracer, 1, "/slow", 101);
    request(&tracer, 2, "/fast", 1);
    let slow = store.get(TraceId::from(1)).unwrap();
    assert_eq!((slow.spans.len(), slow.queries, slow.dropped), (102, 101, 0));
    assert_eq!(store.get(TraceId::from(2)).unwrap().spans.len(), 2);
    assert!(store.get(TraceId::from(3)).is_none());
    let held = store.holding();
    assert_eq!((held.traces, held.spans, held.dropped), (2, 104, Dropped::default()));
}

#[test]
fn a_span_that_ends_late_joins_its_trace() {
    let (store, _provider, tracer) = store(SMALL);
    let query_in_a_task = tracer.start_with_context("late", &remote(1));
    request(&tracer, 1, "/slow", 1);
    assert_eq!(store.get(TraceId::from(1)).unwrap().spans.len(), 2);
    drop(query_in_a_task);
    assert_eq!(store.get(TraceId::from(1)).unwrap().spans.len(), 3);
}

#[test]
fn a_request_under_way_shows_by_what_has_ended_of_it() {
    let (store, _provider, tracer) = store(SMALL);
    let request = tracer.span_builder("GET /slow").with_kind(SpanKind::Server);
    let inside = Context::new().with_span(request.start_with_context(&tracer, &remote(1)));
    query(&tracer, &inside);
    query(&tracer, &inside);
    let shown = store.requests();
    assert_eq!((shown.len(), shown[0].queries), (1, 2));
    assert_eq!((&*shown[0].summary.name, shown[0].summary.is_finished), ("SELECT users", false));
    inside.span().end();
    let shown = store.requests();
    assert_eq!((shown.len(), &*shown[0].summary.name), (1, "GET /slow"));
    assert!(shown[0].summary.is_finished);
}

#[test]
fn a_request_is_summed_up_by_its_attributes() {
    let (store, _provider, tracer) = store(SMALL);
    request(&tracer, 1, "/slow", 30);
    let requests = store.requests();
    let [Request { trace, summary, spans: 31, dropped_spans: 0, queries: 30 }] = &requests[..]
    else {
        panic!("{requests:?}");
    };
    assert_eq!((*trace, &*summary.name), (TraceId::from(1), "GET /slow"));
    assert_eq!((summary.method.as_deref(), summary.route.as_deref()), (Some("GET"), Some("/slow")));
    assert_eq!((summary.status, summary.is_error), (Some(200), false));
}

#[test]
fn otlp_json_is_as_the_protocol_has_it() {
    let (store, _provider, tracer) = store(SMALL);
    request(&tracer, 0xabc, "/fast", 1);
    let trace = store.get(TraceId::from(0xabc)).unwrap();
    let json = serde_json::to_value(store.otlp(trace)).unwrap();
    let resource = &json["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(resource["key"], "service.name");
    assert_eq!(resource["value"]["stringValue"], "store-test");
    let spans = &json["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let (query, request) = (&spans[0], &spans[1]);
    assert_eq!(request["traceId"], "00000000000000000000000000000abc");
    assert_eq!(request["parentSpanId"], "0000000000000007");
    assert_eq!(query["parentSpanId"], request["spanId"]);
    assert_eq!((&request["kind"], &query["kind"]), (&2.into(), &3.into()));
    assert!(request["startTimeUnixNano"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(request["attributes"][2]["value"]["intValue"], "200");
    let read: TracesData = serde_json::from_value(json).unwrap();
    assert_eq!(read.resource_spans[0].scope_spans[0].spans.len(), 2);
}
