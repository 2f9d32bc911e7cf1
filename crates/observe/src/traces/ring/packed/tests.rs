//! Tests that packed spans are unpacked unchanged.

use opentelemetry::{
    Array, InstrumentationScope, KeyValue, Value,
    trace::{Event, SpanContext},
};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::*;

fn at(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

fn one(kind: SpanKind, status: Status) -> SpanData {
    let (trace, span) = (TraceId::from(0xabc), SpanId::from(7));
    let state = TraceState::from_key_value([("vendor", "one"), ("other", "2")]).unwrap();
    let texts = vec!["first".into(), "".into(), "größer".into()];
    let mut events = SpanEvents::default();
    let of_event = vec![KeyValue::new("db.query.text", "not the span's"), KeyValue::new("n", 1)];
    events.events.push(Event::new("happened", at(1_500), of_event, 0));
    events.events.push(Event::new("", at(1_600), Vec::new(), 0));
    events.dropped_count = 3;
    SpanData {
        span_context: SpanContext::new(trace, span, TraceFlags::SAMPLED, false, state),
        parent_span_id: SpanId::from(3),
        parent_span_is_remote: true,
        span_kind: kind,
        name: "GET /größe/{id}".into(),
        start_time: at(1_767_225_600_123_456_789),
        end_time: at(1_767_225_600_123_456_790),
        attributes: vec![
            KeyValue::new("yes", true),
            KeyValue::new("int", i64::MIN),
            KeyValue::new("float", -0.5),
            KeyValue::new("text", "x".repeat(5_000)),
            KeyValue::new("", ""),
            KeyValue::new("texts", Value::Array(Array::String(texts))),
        ],
        dropped_attributes_count: 0,
        events,
        links: SpanLinks::default(),
        status,
        instrumentation_scope: InstrumentationScope::builder("chokepoint").build(),
    }
}

#[test]
fn a_span_is_the_same_after_it_was_packed() {
    let statuses = [Status::Unset, Status::Ok, Status::error(""), Status::error("no such table")];
    for kind in KINDS {
        for status in &statuses {
            let span = one(kind.clone(), status.clone());
            let bytes = packed(&span);
            let read = View::of(&bytes).unwrap().span();
            assert_eq!(read, span);
        }
    }
}

#[test]
fn spans_lie_behind_each_other_and_their_heads_say_what_they_are() {
    let mut statement = one(SpanKind::Client, Status::Unset);
    statement.parent_span_is_remote = false;
    statement.attributes.push(KeyValue::new(QUERY_TEXT, "SELECT 1"));
    let request = one(SpanKind::Server, Status::Unset);
    let mut root = one(SpanKind::Internal, Status::Unset);
    (root.parent_span_is_remote, root.parent_span_id) = (false, SpanId::INVALID);
    let bytes = [&statement, &request, &root].map(packed).concat();
    let sampler: Vec<_> =
        View::all(&bytes).map(|view| (view.is_entry(), view.is_query())).collect();
    assert_eq!(sampler, [(false, true), (true, false), (true, false)]);
    assert!(View::all(&bytes).all(|view| view.trace() == TraceId::from(0xabc)));
}

#[test]
fn bytes_that_are_cut_off_are_read_as_far_as_they_go() {
    let bytes = packed(&one(SpanKind::Server, Status::Unset));
    for length in 0..bytes.len() {
        assert_eq!(View::all(&bytes[..length]).count(), 0);
        if let Some(view) = View::of(&bytes[..length]) {
            assert!(view.span().attributes.len() <= 6);
        }
    }
}
