//! Batch processor and exporter of spans, which count their losses. Ending a span never waits for
//! them: a span is dropped if the queue is full, and a batch if it can't be sent.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use metrics::counter;
use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchSpanProcessor, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_QUEUE_SIZE_DEFAULT, Span,
        SpanData, SpanExporter, SpanProcessor,
    },
};

use crate::{metrics::names, settings::otel_variables::value};

/// Shortest time between two log messages about failed exports.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Processor that exports spans in batches on a thread of its own.
pub fn processor(exporter: impl SpanExporter + 'static) -> impl SpanProcessor + 'static {
    let room = value(OTEL_BSP_MAX_QUEUE_SIZE).and_then(|spans| spans.parse().ok());
    let room = room.unwrap_or(OTEL_BSP_MAX_QUEUE_SIZE_DEFAULT);
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = Watched { exporter, waiting: waiting.clone(), unsaid: Mutex::default() };
    // It reads the variables of the batches.
    let batches = BatchSpanProcessor::builder(exporter).build();
    Bounded { batches, waiting, room }
}

/// Counts dropped spans. The counter is looked up each time: the recorder starts after this.
fn dropped(reason: &'static str, spans: usize) {
    counter!(names::SPANS_DROPPED, "reason" => reason).increment(spans as u64);
}

/// Batch processor behind our own count, because it does not report what it drops.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    /// Spans handed over whose export has not begun: at least as many as the processor's queue
    /// holds, so that the queue itself is never full.
    waiting: Arc<AtomicUsize>,
    room: usize,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        // The batch processor would export a span that is recorded only, for the span store.
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Relaxed) < self.room {
            self.batches.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Relaxed);
            dropped("queue_full", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[derive(Debug)]
struct Watched<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    unsaid: Mutex<Unsaid>,
}

/// Losses since the last log message.
#[derive(Debug, Default)]
struct Unsaid {
    spans: usize,
    said: Option<Instant>,
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Relaxed);
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) => counter!(names::SPANS_EXPORTED).increment(spans as u64),
            Err(error) => {
                dropped("export_failed", spans);
                self.say(spans, error);
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E> Watched<E> {
    fn say(&self, spans: usize, error: &dyn std::fmt::Display) {
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.spans += spans;
        if unsaid.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            let spans = std::mem::take(&mut unsaid.spans);
            unsaid.said = Some(Instant::now());
            tracing::warn!(%error, spans, "traces can't be exported");
        }
    }
}
