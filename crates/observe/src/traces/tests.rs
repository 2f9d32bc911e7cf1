//! The pipeline: sampling decisions, the layer, the span store and the exporter.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{body::Body, extract::Request};
use clap::Parser;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tracing::{Span, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::{sampler::Decision, *};
use crate::cost::{Cost, Counter};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    otel: OtelConfig,
}

fn config() -> OtelConfig {
    Cli::parse_from(["test"]).otel
}

/// Exporter that keeps the spans.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// Pipeline with a store and an exporter.
struct Pipeline {
    traces: Traces,
    store: SpanStore,
    exported: Exported,
}

impl Pipeline {
    fn new() -> Self {
        let (store, exported) = (SpanStore::new(1024 * 1024), Exported::default());
        let sampler = HeadSampler::new(None);
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler.clone())
            .with_id_generator(sampler::Ids)
            .with_span_processor(store.clone())
            .with_span_processor(export::processor(exported.clone()))
            .build();
        let traces = Traces { provider: Some(provider), sampler: Some(sampler), _runtime: None };
        Self { traces, store, exported }
    }

    /// Runs this with the layer of the pipeline, and returns the exported spans.
    fn exported(&self, happens: impl FnOnce()) -> Vec<SpanData> {
        with_default(Registry::default().with(self.traces.layer()), happens);
        self.traces.flush();
        std::mem::take(&mut *self.exported.0.lock().unwrap())
    }

    fn kept(&self, trace: u128) -> Vec<Arc<SpanData>> {
        self.store.get(TraceId::from(trace)).map(|trace| trace.spans).unwrap_or_default()
    }
}

/// Opens the span of a request in trace `trace`.
fn open(trace: u128, is_exported: bool, parent: Option<SpanContext>) -> Span {
    let head = Decision { trace_id: TraceId::from(trace), is_exported };
    request::open(head, parent, &Request::new(Body::empty()), Some("/sum"), "id")
}

fn names(spans: &[Arc<SpanData>]) -> Vec<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

#[test]
fn a_kept_trace_is_in_the_store_alone_and_an_exported_one_in_both() {
    let pipeline = Pipeline::new();
    let exported = pipeline.exported(|| {
        for (trace, is_exported) in [(7, false), (8, true)] {
            let request = open(trace, is_exported, None);
            request.in_scope(|| {
                tracing::info_span!("outer").in_scope(|| tracing::info_span!("inner"));
            });
            request::close(&request, 200, &Cost::default(), &[]);
        }
    });
    for (trace, is_sampled) in [(7, false), (8, true)] {
        let spans = pipeline.kept(trace);
        assert_eq!(names(&spans), ["inner", "outer", "GET /sum"]);
        assert!(spans.iter().all(|span| span.span_context.is_sampled() == is_sampled));
        assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
        assert_eq!(spans[1].parent_span_id, spans[2].span_context.span_id());
    }
    let ids: Vec<_> = exported.iter().map(|span| span.span_context.trace_id()).collect();
    assert_eq!(ids, [TraceId::from(8); 3]);
}

#[test]
fn a_request_goes_on_below_its_client_with_its_trace_state() {
    let state = TraceState::from_key_value([("vendor", "one")]).unwrap();
    let client = SpanId::from(3);
    let parent = |flags| {
        SpanContext::new(TraceId::from(7), client, TraceFlags::new(flags), true, state.clone())
    };
    for flags in [0, 1] {
        let pipeline = Pipeline::new();
        let exported = pipeline.exported(|| {
            let request = open(7, false, Some(parent(flags)));
            request.in_scope(|| tracing::info_span!("statement"));
        });
        let spans = pipeline.kept(7);
        assert_eq!(names(&spans), ["statement", "GET /sum"]);
        let parents: Vec<_> =
            spans.iter().map(|s| (s.parent_span_id, s.parent_span_is_remote)).collect();
        assert_eq!(parents, [(spans[1].span_context.span_id(), false), (client, true)]);
        assert!(spans.iter().all(|span| *span.span_context.trace_state() == state));
        assert!(exported.is_empty(), "the decision counts, not the client's flag");
    }
}

#[test]
fn a_request_ends_when_its_cost_is_recorded_however_long_it_is_held() {
    let pipeline = Pipeline::new();
    pipeline.exported(|| {
        let request = open(7, false, None);
        assert!(pipeline.kept(7).is_empty());
        request::close(&request, 200, &Cost::of([(Counter::Queries, 3)]), &[]);
        let ended = pipeline.kept(7);
        assert_eq!(store::trace::status(&ended[0]), Some(200));

        request.in_scope(|| tracing::info!("too late"));
        tracing::info_span!(parent: &request, "goes on");
        drop(request);
        let all = pipeline.kept(7);
        assert_eq!((names(&all), &all[0]), (vec!["GET /sum", "goes on"], &ended[0]));
    });
}

#[test]
fn a_span_without_a_request_is_not_recorded() {
    let pipeline = Pipeline::new();
    let exported = pipeline.exported(|| drop(tracing::info_span!("beside")));
    assert!(exported.is_empty());
    assert_eq!(pipeline.store.holding().traces, 0);
}

#[test]
fn a_wait_that_is_over_is_a_span_of_the_request() {
    let store = SpanStore::new(1024 * 1024);
    let program = Program { name: "test", version: "1", targets: &[], metrics: &[] };
    let traces = Traces::init(&program, &config(), store.clone()).unwrap();
    with_default(Registry::default().with(traces.layer()), || {
        let request = open(7, false, None);
        waited("pool wait", &request, Instant::now(), Duration::from_millis(5));
        waited("pool wait", &Span::none(), Instant::now(), Duration::from_millis(5));
    });
    let spans = store.get(TraceId::from(7)).unwrap().spans;
    assert_eq!(names(&spans), ["pool wait", "GET /sum"]);
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
    let time = spans[0].end_time.duration_since(spans[0].start_time).unwrap();
    assert_eq!(time, Duration::from_millis(5));
}
