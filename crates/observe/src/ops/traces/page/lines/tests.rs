//! Spans of a made-up request, in milliseconds after it began.

use std::{sync::Arc, time::UNIX_EPOCH};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::*;

fn span(id: u64, parent: u64, name: &'static str, begin: u64, end: u64) -> SpanData {
    let is_query = name.starts_with("SELECT");
    let at = |millis| UNIX_EPOCH + Duration::from_secs(1) + Duration::from_millis(millis);
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1_u128),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::from(parent),
        parent_span_is_remote: false,
        span_kind: if parent == 0 { SpanKind::Server } else { SpanKind::Client },
        name: name.into(),
        start_time: at(begin),
        end_time: at(end),
        attributes: if is_query { vec![KeyValue::new("db.query.text", name)] } else { Vec::new() },
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn trace(spans: impl IntoIterator<Item = SpanData>) -> Trace {
    let mut trace = Trace::new(TraceId::from(1_u128));
    trace.spans.extend(spans.into_iter().map(Arc::new));
    trace
}

#[test]
fn a_span_stands_below_its_parent_and_after_what_began_before() {
    let trace = trace([
        span(3, 1, "second", 50, 60),
        span(4, 2, "part of first", 11, 12),
        span(2, 1, "first", 10, 20),
        span(9, 8, "its parent is not kept", 5, 6),
        span(1, 0, "request", 0, 100),
    ]);
    let lines = lines(&trace, &[]);
    let shown: Vec<_> = lines.iter().map(|line| (line.depth, &*line.span.name)).collect();
    let below = [(1, "first"), (2, "part of first"), (1, "second")];
    assert_eq!(shown, [&[(0, "request")], &below[..], &[(0, "its parent is not kept")]].concat());
}

#[test]
fn a_circle_of_parents_is_left_out() {
    let trace = trace([span(1, 2, "a", 0, 1), span(2, 1, "b", 0, 1), span(3, 0, "c", 0, 1)]);
    assert_eq!(lines(&trace, &[]).len(), 1);
}

#[test]
fn queries_that_repeat_are_counted_and_marked() {
    let again = (10..110).map(|id| span(id, 1, "SELECT user", id * 2, id * 2 + 1));
    let once = [span(2, 1, "SELECT posts", 1, 2), span(1, 0, "request", 0, 300)];
    let trace = trace(again.chain(once));
    let repeats = repeats(&trace);
    assert_eq!(repeats.len(), 1);
    let Repeat { text, count, total, is_query } = &repeats[0];
    let total = total.as_millis();
    assert_eq!((*text, *count, total, *is_query), ("SELECT user", 100, 100, true));
    let lines = lines(&trace, &repeats);
    let marked = lines.iter().filter(|line| line.about == About::Repeated).count();
    assert_eq!((lines.len(), marked), (102, 100));
    let spans = lines.iter().map(|line| line.span.start_time);
    assert!(spans.is_sorted());
}

#[test]
fn what_no_part_covers_is_untraced() {
    let trace = trace([
        span(1, 0, "request", 0, 100),
        span(2, 1, "a", 10, 30),
        span(3, 1, "b, while a was under way", 20, 40),
        span(4, 2, "part of a", 12, 13),
        span(5, 1, "ended after the request", 90, 500),
    ]);
    let lines = lines(&trace, &[]);
    assert_eq!(untraced(lines[0].span, &lines), Duration::from_millis(60));
}

#[test]
fn time_without_a_worker_is_not_time_of_the_database() {
    let mut request = span(1, 0, "request", 0, 100);
    let event = |begin: u64, millis: f64| {
        let at = UNIX_EPOCH + Duration::from_secs(1) + Duration::from_millis(begin);
        opentelemetry::trace::Event::new(
            ready::EVENT,
            at,
            vec![KeyValue::new(ready::ATTRIBUTE, millis)],
            0,
        )
    };
    request.events.events = vec![event(12, 28.0), event(60, 30.0)];
    let trace = trace([span(2, 1, "SELECT a", 10, 40), span(3, 1, "SELECT a", 50, 70), request]);
    let times = super::ready(trace.spans.last().unwrap());
    assert_eq!(total(&times), Duration::from_millis(58));
    // Of the first query 2 ms are left, of the second the 10 before its answer was there.
    assert_eq!(without_ready(&trace, "SELECT a", &times), Duration::from_millis(12));
    assert_eq!(without_ready(&trace, "SELECT a", &[]), Duration::from_millis(50));
}
