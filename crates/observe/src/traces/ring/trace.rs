//! One trace for display, and readers of its spans.

use std::time::Duration;

use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use super::{
    bundle::Bundle,
    packed::{QUERY_TEXT, View},
};

/// Attributes of requests, by OpenTelemetry's conventions.
pub const METHOD: &str = "http.request.method";
pub const ROUTE: &str = "http.route";
pub const STATUS: &str = "http.response.status_code";

#[derive(Clone, Debug)]
pub struct Trace {
    pub id: TraceId,
    /// Spans in the order of their ends.
    pub spans: Vec<SpanData>,
    /// Spans dropped because this trace was full.
    pub dropped: u64,
}

impl Trace {
    pub fn of(bundle: &Bundle) -> Self {
        let spans = bundle.views().map(View::span).collect();
        Self { id: bundle.id, spans, dropped: bundle.dropped }
    }

    /// Spans that this process began by itself or for a client: mostly one, the request.
    pub fn entries(&self) -> impl Iterator<Item = &SpanData> {
        self.spans.iter().filter(|span| is_entry(span))
    }

    /// Spans of statements sent to a database.
    pub fn queries(&self) -> usize {
        self.spans.iter().filter(|span| query_text(span).is_some()).count()
    }
}

fn is_entry(span: &SpanData) -> bool {
    span.parent_span_is_remote
        || span.parent_span_id == SpanId::INVALID
        || span.span_kind == SpanKind::Server
}

pub fn duration(span: &SpanData) -> Duration {
    // The clock may have been set back in between.
    span.end_time.duration_since(span.start_time).unwrap_or_default()
}

pub fn attribute<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|a| a.key.as_str() == key).map(|a| &a.value)
}

pub fn text<'a>(span: &'a SpanData, key: &str) -> Option<&'a str> {
    match attribute(span, key)? {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

pub fn query_text(span: &SpanData) -> Option<&str> {
    text(span, QUERY_TEXT)
}

pub fn route(span: &SpanData) -> Option<&str> {
    text(span, ROUTE)
}

pub fn status(span: &SpanData) -> Option<u16> {
    match attribute(span, STATUS)? {
        Value::I64(status) => u16::try_from(*status).ok(),
        _ => None,
    }
}
