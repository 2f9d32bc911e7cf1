//! The ring, fed by the tracer of spans that are exported.

use std::time::Instant;

use opentelemetry::{
    KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::*;

const SMALL: usize = 1024 * 1024;
const LARGE: usize = 24 * SMALL;

fn ring(max_bytes: usize) -> (Arc<TraceRing>, SdkTracerProvider, SdkTracer) {
    let ring = TraceRing::start(max_bytes);
    let resource = Resource::builder_empty().with_service_name("ring-test").build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(ring.processor())
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("test");
    (ring, provider, tracer)
}

/// Context of a remote span of trace `id`.
fn remote(id: u128) -> Context {
    let (span, flags) = (SpanId::from(7), TraceFlags::SAMPLED);
    let parent = SpanContext::new(TraceId::from(id), span, flags, true, TraceState::default());
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
    let (ring, _provider, tracer) = ring(LARGE);
    request(&tracer, 1, "/slow", 101);
    request(&tracer, 2, "/fast", 1);
    let slow = ring.get(TraceId::from(1)).unwrap();
    assert_eq!((slow.spans.len(), slow.queries(), slow.dropped), (102, 101, 0));
    assert_eq!(ring.get(TraceId::from(2)).unwrap().spans.len(), 2);
    assert!(ring.get(TraceId::from(3)).is_none());
    let held = ring.holding();
    assert_eq!((held.traces, held.spans, held.dropped), (2, 104, Dropped::default()));
}

#[test]
fn a_span_that_ends_late_joins_its_trace() {
    let (ring, _provider, tracer) = ring(SMALL);
    let query_in_a_task = tracer.start_with_context("late", &remote(1));
    request(&tracer, 1, "/slow", 1);
    assert_eq!(ring.get(TraceId::from(1)).unwrap().spans.len(), 2);
    drop(query_in_a_task);
    assert_eq!(ring.get(TraceId::from(1)).unwrap().spans.len(), 3);
}

#[test]
fn the_oldest_traces_go_whole_when_the_bound_is_reached() {
    let (ring, _provider, tracer) = ring(SMALL);
    for id in 1..=400 {
        request(&tracer, id, "/slow", 20);
        let held = ring.holding();
        assert!(held.bytes <= SMALL, "{held:?}");
        let lost = held.dropped.evicted;
        assert_eq!((held.spans as u64 + lost, lost % 21), (id as u64 * 21, 0), "{held:?}");
    }
    let held = ring.holding();
    assert!(held.traces > 10 && held.dropped.evicted > 1_000, "{held:?}");
    let oldest_kept = 400 - held.traces as u128 + 1;
    assert!(ring.get(TraceId::from(oldest_kept - 1)).is_none());
    for id in oldest_kept..=400 {
        assert_eq!(ring.get(TraceId::from(id)).unwrap().spans.len(), 21, "{id}");
    }
}

#[test]
fn what_is_left_of_an_evicted_trace_is_dropped_and_counted() {
    let (ring, _provider, tracer) = ring(SMALL);
    request(&tracer, 1, "/slow", 20);
    let late = tracer.start_with_context("late", &remote(1));
    (2..=400).for_each(|id| {
        request(&tracer, id, "/slow", 20);
        ring.holding();
    });
    drop(late);
    assert!(ring.get(TraceId::from(1)).is_none());
    assert_eq!(ring.holding().dropped.late, 1);
}

#[test]
fn a_trace_without_end_is_bounded_and_keeps_its_request() {
    let (ring, _provider, tracer) = ring(LARGE);
    let request_span = tracer.span_builder("GET /loop").with_kind(SpanKind::Server);
    let inside = Context::new().with_span(request_span.start_with_context(&tracer, &remote(1)));
    for _ in 0..2_500 {
        query(&tracer, &inside);
        ring.holding();
    }
    inside.span().end();
    let trace = ring.get(TraceId::from(1)).unwrap();
    assert_eq!((trace.spans.len(), trace.dropped), (2_001, 500));
    assert_eq!(trace.entries().map(|span| &*span.name).collect::<Vec<_>>(), ["GET /loop"]);
    assert_eq!(ring.holding().dropped.trace_full, 500);
}

#[test]
fn spans_that_find_no_room_on_their_way_in_are_counted() {
    let (ring, _provider, tracer) = ring(SMALL);
    request(&tracer, 1, "/fast", 0);
    let span = packed::packed(&ring.get(TraceId::from(1)).unwrap().spans[0]);
    let incoming = Incoming::new(2 * span.len() + 1);
    (0..5).for_each(|_| incoming.push(&span));
    assert_eq!(incoming.dropped(), 3);
    let mut taken = Vec::new();
    incoming.take_into(&mut taken);
    assert_eq!(View::all(&taken).count(), 2);
    incoming.push(&span);
    assert_eq!(incoming.dropped(), 3);
}

#[test]
fn spans_that_nobody_asks_for_are_taken_in_before_there_is_no_room() {
    let (ring, _provider, tracer) = ring(SMALL);
    request(&tracer, 1, "/fast", 0);
    let bytes = packed::packed(&ring.get(TraceId::from(1)).unwrap().spans[0]).len();
    let half = SMALL / 12 / 2 / bytes + 1;
    (2..half as u128 + 2).for_each(|id| request(&tracer, id, "/fast", 0));
    let taken_in = || ring.state.lock().unwrap().kept.spans();
    let give_up = Instant::now() + Duration::from_secs(30);
    while taken_in() == 1 && Instant::now() < give_up {
        thread::yield_now();
    }
    assert_eq!((taken_in(), ring.incoming.dropped()), (half + 1, 0));
}

#[test]
fn requests_are_found_by_what_they_were() {
    let (ring, _provider, tracer) = ring(LARGE);
    request(&tracer, 1, "/slow", 30);
    request(&tracer, 2, "/fast", 1);
    request(&tracer, 3, "/slow", 101);
    let routes = |route: &str| Some(vec![route.to_owned()]);
    let found = |filter: &Filter| {
        let found = ring.select(filter, 10).requests;
        found.iter().map(|r| u128::from_be_bytes(r.trace.to_bytes())).collect::<Vec<_>>()
    };
    assert_eq!(found(&Filter::default()), [3, 2, 1]);
    assert_eq!(found(&Filter { routes: routes("/slow"), ..Filter::default() }), [3, 1]);
    assert_eq!(found(&Filter { status: Some((200, 200)), ..Filter::default() }), [3, 2, 1]);
    assert_eq!(found(&Filter { status: Some((500, 599)), ..Filter::default() }), [0; 0]);
    let hour = Duration::from_secs(3_600);
    assert_eq!(found(&Filter { min: hour, ..Filter::default() }), [0; 0]);
    let first = ring.select(&Filter::default(), 10).requests.pop().unwrap();
    let until = Some(first.started);
    assert_eq!(found(&Filter { until, ..Filter::default() }), [1]);
    let since = Some(first.started + first.duration + Duration::from_nanos(1));
    assert_eq!(found(&Filter { since, ..Filter::default() }), [3, 2]);

    let all = ring.select(&Filter::default(), 1);
    assert_eq!((all.requests.len(), all.matching), (1, 3));
    let most: Vec<_> = all.routes.iter().map(|r| (&*r.route, r.requests, r.most_queries)).collect();
    assert!(most.contains(&("/slow", 2, 101)) && most.contains(&("/fast", 1, 1)), "{most:?}");
}

#[test]
fn a_request_under_way_shows_by_what_has_ended_of_it() {
    let (ring, _provider, tracer) = ring(SMALL);
    let request = tracer.span_builder("GET /slow").with_kind(SpanKind::Server);
    let inside = Context::new().with_span(request.start_with_context(&tracer, &remote(1)));
    query(&tracer, &inside);
    let shown = ring.select(&Filter::default(), 10).requests.remove(0);
    assert_eq!((&*shown.name, shown.is_finished, shown.queries), ("SELECT users", false, 1));
    inside.span().end();
    let shown = ring.select(&Filter::default(), 10).requests;
    assert_eq!((shown.len(), &*shown[0].name, shown[0].is_finished), (1, "GET /slow", true));
}

#[test]
fn sizes_are_those_that_an_allocator_hands_out() {
    let asked = [0, 1, 16, 17, 129, 160, 161, 1_025];
    assert_eq!(asked.map(allocated), [0, 16, 16, 32, 160, 160, 192, 1_280]);
}

#[test]
fn otlp_json_is_as_the_protocol_has_it() {
    let (ring, _provider, tracer) = ring(SMALL);
    request(&tracer, 0xabc, "/fast", 1);
    let trace = ring.get(TraceId::from(0xabc)).unwrap();
    let json = serde_json::to_value(ring.otlp(trace)).unwrap();
    let resource = &json["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(resource["key"], "service.name");
    assert_eq!(resource["value"]["stringValue"], "ring-test");
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
