//! Spans of waits: from the request for a resource until it is available.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{Span as _, Tracer};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::TRACER;

/// Span of a wait that begins now and ends when the span is dropped.
pub fn waiting(name: &'static str) -> Span {
    tracing::info_span!("wait", otel.name = name)
}

/// Records a wait that is over already, as a child of `span`.
pub fn waited(name: &'static str, span: &Span, since: Instant, time: Duration) {
    if span.is_none() {
        return;
    }
    if let Some(tracer) = TRACER.get() {
        let began = SystemTime::now() - since.elapsed();
        let builder = tracer.span_builder(name).with_start_time(began);
        builder.start_with_context(tracer, &span.context()).end_with_timestamp(began + time);
    }
}
