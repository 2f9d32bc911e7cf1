//! Compares with tracing-opentelemetry's own layer: both must record the same.

use opentelemetry::{
    KeyValue,
    trace::{Event as OtelEvent, SpanKind, Status, TracerProvider},
};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use tracing::{field::Empty, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::*;
use crate::traces::layer::SpanLayer;

/// Fields that must be equal: all but ids, times and the scope.
type Says = (String, SpanKind, Status, Vec<KeyValue>, Vec<(String, Vec<KeyValue>)>);

fn says(span: SpanData) -> Says {
    let event = |event: OtelEvent| (event.name.into_owned(), event.attributes);
    let events = span.events.into_iter().map(event).collect();
    (span.name.into_owned(), span.span_kind, span.status, span.attributes, events)
}

/// Spans in the order of their ends, recorded here or through OpenTelemetry.
fn spans(is_recorded: bool, happens: fn()) -> Vec<SpanData> {
    let ring = TraceRing::start(1024 * 1024);
    let provider = SdkTracerProvider::builder().with_span_processor(ring.processor()).build();
    let layer = SpanLayer::new(provider.tracer("test"), ring.clone());
    let trace = TraceId::from(7);
    with_default(Registry::default().with(layer), || {
        let root = || tracing::info_span!("root");
        let root = if is_recorded { begin(trace, None, root) } else { root() };
        root.in_scope(happens);
    });
    let root = ring.select(&Default::default(), 10).requests.pop().unwrap();
    assert_eq!((&*root.name, root.trace == trace), ("root", is_recorded));
    ring.get(root.trace).unwrap().spans
}

fn says_the_same(happens: fn()) -> Vec<Says> {
    let [recorded, other] = [true, false]
        .map(|is_recorded| spans(is_recorded, happens).into_iter().map(says).collect::<Vec<_>>());
    assert_eq!(recorded, other);
    recorded
}

#[test]
fn fields_of_every_type_say_the_same() {
    let said = says_the_same(|| {
        let late = tracing::info_span!(
            "fields",
            bool = true,
            int = -5_i64,
            small = 5_u8,
            unsigned = 5_u64,
            float = 0.5,
            text = "größer",
            debug = ?Some(1),
            display = %1.5,
            none = None::<i64>,
            some = Some("here"),
            later = Empty,
            never = Empty,
        );
        late.record("later", 7_i64);
    });
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].3.len(), 10);
}

#[test]
fn names_kinds_and_statuses_say_the_same() {
    let said = says_the_same(|| {
        for kind in ["server", "client", "producer", "CONSUMER", "internal", "other"] {
            tracing::info_span!("kind", otel.kind = kind, otel.name = format!("of {kind}"));
        }
        for status in ["OK", "ERROR", "error", "unset"] {
            let span = tracing::info_span!("status", otel.status_code = Empty);
            span.record("otel.status_code", status);
        }
        tracing::info_span!("described", otel.status_description = "why");
    });
    let statuses: Vec<_> = said[6..11].iter().map(|span| span.2.clone()).collect();
    let error = || Status::error("");
    let described = Status::error("why");
    assert_eq!(statuses, [Status::Ok, error(), error(), Status::Unset, described]);
}

#[test]
fn events_say_the_same_and_failures_reach_the_span() {
    let said = says_the_same(|| {
        tracing::info_span!("warned").in_scope(|| {
            tracing::warn!(rows = 5_i64, error = "gone", "slow {}", 1);
            tracing::info!(share = 0.5, is_late = true);
        });
        tracing::info_span!("failed").in_scope(|| tracing::error!(error = %"gone", "no answer"));
        tracing::info_span!("thrown").in_scope(|| tracing::warn!(error = ?"gone"));
        let elsewhere = tracing::info_span!("elsewhere");
        tracing::info!(parent: &elsewhere, "from outside");
    });
    let statuses: Vec<_> = said.iter().map(|span| span.2.clone()).collect();
    let thrown = Status::error("\"gone\"");
    let unset = || Status::Unset;
    assert_eq!(statuses, [unset(), Status::error(""), thrown, unset(), unset()]);
    let events: Vec<_> = said.iter().map(|span| span.4.len()).collect();
    assert_eq!(events, [2, 1, 1, 1, 0]);
}

#[test]
fn spans_stand_below_each_other_and_the_request_below_its_client() {
    let state = TraceState::from_key_value([("vendor", "one")]).unwrap();
    let (client, flags) = (SpanId::from(3), TraceFlags::SAMPLED);
    let client = SpanContext::new(TraceId::from(7), client, flags, true, state.clone());
    let ring = TraceRing::start(1024 * 1024);
    let provider = SdkTracerProvider::builder().build();
    let layer = SpanLayer::new(provider.tracer("test"), ring.clone());
    with_default(Registry::default().with(layer), || {
        let make = || tracing::info_span!("request");
        let request = begin(TraceId::from(7), Some(client.clone()), make);
        request.in_scope(|| tracing::info_span!("statement").in_scope(|| {}));
        let (since, time) = (Instant::now(), Duration::from_millis(5));
        lasted(since, time, || tracing::info_span!(parent: &request, "wait"));
        // No trace is set for this span.
        tracing::info_span!("other");
    });
    let spans = ring.get(TraceId::from(7)).unwrap().spans;
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["statement", "wait", "request"]);
    let request = spans[2].span_context.span_id();
    let parents: Vec<_> =
        spans.iter().map(|s| (s.parent_span_id, s.parent_span_is_remote)).collect();
    assert_eq!(parents, [(request, false), (request, false), (SpanId::from(3), true)]);
    assert!(spans.iter().all(|span| *span.span_context.trace_state() == state));
    assert_eq!(spans[1].end_time.duration_since(spans[1].start_time).unwrap().as_millis(), 5);
    assert_eq!(ring.holding().traces, 1);
}

#[test]
fn a_request_has_ended_when_its_cost_is_recorded_however_long_it_is_held() {
    let ring = TraceRing::start(1024 * 1024);
    let provider = SdkTracerProvider::builder().build();
    let layer = SpanLayer::new(provider.tracer("test"), ring.clone());
    let trace = TraceId::from(7);
    let spans = || ring.get(trace).map(|trace| trace.spans).unwrap_or_default();
    with_default(Registry::default().with(layer), || {
        let request = begin(trace, None, || tracing::info_span!("request", queries = Empty));
        assert!(spans().is_empty());
        request.record("queries", 1_i64);
        let ended = says(spans().remove(0));
        assert_eq!(ended.3, [KeyValue::new("queries", 1_i64)]);

        request.in_scope(|| tracing::info!("too late"));
        tracing::info_span!(parent: &request, "goes on");
        drop(request);
        let all: Vec<_> = spans().into_iter().map(says).collect();
        let names: Vec<_> = all.iter().map(|span| &*span.0).collect();
        assert_eq!((&names[..], &all[0]), (&["request", "goes on"][..], &ended));
    });
}

#[test]
fn events_of_a_span_are_bounded_and_the_rest_is_counted() {
    let said = spans(true, || {
        for n in 0..200_i64 {
            tracing::info!(n, "statement");
        }
        tracing::error!("the last one");
    });
    assert_eq!((said[0].events.len(), said[0].events.dropped_count), (128, 73));
    assert_eq!(said[0].status, Status::error(""));
}

/// Tells a span that it is shown.
struct Telling(Span);

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.record("shown", true);
        f.write_str("telling")
    }
}

#[test]
fn a_value_may_have_to_do_with_its_span_while_it_is_written_down() {
    let said = spans(true, || {
        let outer = tracing::info_span!("outer", shown = Empty);
        outer.in_scope(|| {
            tracing::info!(value = ?Telling(outer.clone()), "event");
            tracing::info_span!("below", value = ?Telling(outer.clone()));
        });
    });
    let shown = KeyValue::new("shown", true);
    assert_eq!((&*said[1].name, &said[1].attributes), ("outer", &vec![shown.clone(), shown]));
}
