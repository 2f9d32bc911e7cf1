//! One trace as it is kept, and what can be read from its spans.

use std::time::Duration;

use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use super::size;

/// Spans of one trace. A client may send one trace id for ever, and a loop may query for ever.
const MAX_SPANS: usize = 2_000;

/// Beyond that only requests themselves are taken, or a long trace would lose what it is about: that ends
/// last.
const MAX_ENTRIES_BEYOND: usize = 100;

#[derive(Clone, Debug)]
pub struct Trace {
    pub id: TraceId,
    /// As they ended.
    pub spans: Vec<SpanData>,
    /// Spans that found no room in this trace.
    pub dropped: u64,
    /// Spans of statements sent to a database.
    pub queries: usize,
    heap: usize,
}

impl Trace {
    pub fn new(id: TraceId) -> Self {
        Self { id, spans: Vec::new(), dropped: 0, queries: 0, heap: 0 }
    }

    /// False if there was no room for it.
    pub fn add(&mut self, mut span: SpanData, max_bytes: usize) -> bool {
        let is_full = self.spans.len() >= MAX_SPANS || self.bytes() > max_bytes;
        if is_full && !(is_entry(&span) && self.entries().count() <= MAX_ENTRIES_BEYOND) {
            self.dropped += 1;
            return false;
        }
        // Lists of attributes grew by doubling.
        span.attributes.shrink_to_fit();
        self.heap += size::heap(&span);
        self.queries += usize::from(query_text(&span).is_some());
        self.spans.push(span);
        true
    }

    /// What its spans take.
    pub fn bytes(&self) -> usize {
        self.heap + size::list(&self.spans)
    }

    /// The spans that this process began by itself or for somebody else: mostly one, the request.
    pub fn entries(&self) -> impl Iterator<Item = &SpanData> {
        self.spans.iter().filter(|span| is_entry(span))
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
    text(span, "db.query.text")
}

pub fn route(span: &SpanData) -> Option<&str> {
    text(span, "http.route")
}

pub fn status(span: &SpanData) -> Option<u16> {
    match attribute(span, "http.response.status_code")? {
        Value::I64(status) => u16::try_from(*status).ok(),
        _ => None,
    }
}
