//! One trace, and readers of its spans.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, Status, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use super::{super::request::CALLER, size};

/// Attributes of requests and of statements, by OpenTelemetry's conventions.
const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const STATUS: &str = "http.response.status_code";
const QUERY_TEXT: &str = "db.query.text";

/// Most spans of one trace. A client may send one trace id forever, and a loop may query forever.
const MAX_SPANS: usize = 2_000;

/// Most requests of a full trace. It still takes requests, because a request's own span ends last,
/// and a long trace must not lose it.
const MAX_REQUESTS: usize = 100;

/// Spans of one trace. A copy shares them.
#[derive(Clone, Debug)]
pub struct Trace {
    pub id: TraceId,
    /// Spans in the order of their ends.
    pub spans: Vec<Arc<SpanData>>,
    /// Spans dropped because this trace was full.
    pub dropped: u64,
    /// Spans of statements sent to a database.
    pub queries: usize,
    /// Requests that have ended; before the first, what has ended of it.
    requests: Vec<Arc<Summary>>,
    span_bytes: usize,
}

/// Request in a list of many, summed up when its span ends.
#[derive(Debug)]
pub struct Summary {
    pub name: String,
    pub method: Option<String>,
    pub route: Option<String>,
    pub status: Option<u16>,
    pub started: SystemTime,
    pub duration: Duration,
    pub is_error: bool,
    /// False while only parts of it have ended.
    pub is_finished: bool,
}

/// Request, or another span that began a trace here, and its trace in numbers.
#[derive(Debug)]
pub struct Request {
    pub trace: TraceId,
    pub summary: Arc<Summary>,
    pub spans: usize,
    pub dropped_spans: u64,
    pub queries: usize,
}

impl Trace {
    pub fn new(id: TraceId) -> Self {
        Self { id, spans: vec![], dropped: 0, queries: 0, requests: vec![], span_bytes: 0 }
    }

    /// Adds a span of so many bytes; returns false if the trace is full.
    pub fn add(&mut self, span: Arc<SpanData>, bytes: usize, max_bytes: usize) -> bool {
        let is_entry = is_entry(&span);
        let is_full = self.spans.len() >= MAX_SPANS || self.bytes() > max_bytes;
        if is_full && !(is_entry && self.requests.len() <= MAX_REQUESTS) {
            self.dropped += 1;
            return false;
        }
        if is_entry {
            self.requests.retain(|request| request.is_finished);
            self.requests.push(Arc::new(Summary::of(&span, true)));
        } else if self.requests.first().is_none_or(|first| first.began_after(&span)) {
            self.requests = vec![Arc::new(Summary::of(&span, false))];
        }
        self.queries += usize::from(query_text(&span).is_some());
        self.span_bytes += bytes;
        self.spans.push(span);
        true
    }

    /// Its requests, with what is known of their trace.
    pub fn requests(&self) -> impl Iterator<Item = Request> {
        self.requests.iter().map(|summary| Request {
            trace: self.id,
            summary: summary.clone(),
            spans: self.spans.len(),
            dropped_spans: self.dropped,
            queries: self.queries,
        })
    }

    /// Bytes that the trace takes, as far as they can be estimated.
    pub fn bytes(&self) -> usize {
        let summary = size::allocated(size_of::<Summary>()) + 3 * size::allocated(1);
        size::of_list::<Self>(1)
            + self.span_bytes
            + size::of_list::<Arc<SpanData>>(self.spans.capacity())
            + size::of_list::<Arc<Summary>>(self.requests.capacity())
            + self.requests.len() * summary
    }

    /// Spans that this process began by itself or for a client: mostly one, the request.
    pub fn entries(&self) -> impl Iterator<Item = &SpanData> {
        self.spans.iter().map(AsRef::as_ref).filter(|span| is_entry(span))
    }
}

impl Summary {
    fn of(span: &SpanData, is_finished: bool) -> Self {
        Self {
            name: span.name.to_string(),
            method: text(span, METHOD).map(str::to_owned),
            route: route(span).map(str::to_owned),
            status: status(span),
            started: span.start_time,
            duration: duration(span),
            is_error: matches!(span.status, Status::Error { .. }),
            is_finished,
        }
    }

    fn began_after(&self, span: &SpanData) -> bool {
        !self.is_finished && self.started > span.start_time
    }
}

fn is_entry(span: &SpanData) -> bool {
    let is_entry = span.parent_span_is_remote
        || span.parent_span_id == SpanId::INVALID
        || span.span_kind == SpanKind::Server;
    // The labs' second service continues traces over TCP, as if it were elsewhere.
    is_entry && attribute(span, CALLER).is_none()
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
