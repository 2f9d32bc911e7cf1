//! Spans of a trace as lines, each below its parent, and the spans that repeat.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use crate::traces::{
    ready,
    request::CALLER,
    store::trace::{Trace, attribute, duration, query_text, text},
};

/// Least number of equal spans that is shown as repeated.
const REPEATED: usize = 5;

/// Category of a span. The style sheet gives each a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    Request,
    Repeated,
    Database,
    Cache,
    Wait,
    Other,
}

pub struct Line<'a> {
    pub span: &'a SpanData,
    pub depth: usize,
    pub about: About,
}

/// Spans with the same text.
pub struct Repeat<'a> {
    pub text: &'a str,
    pub count: usize,
    pub total: Duration,
    pub is_query: bool,
}

impl About {
    pub fn class(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Repeated => "repeated",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Wait => "wait",
            Self::Other => "other",
        }
    }

    fn of(span: &SpanData, repeated: &HashSet<&str>) -> Self {
        if span.span_kind == SpanKind::Server && attribute(span, CALLER).is_none() {
            Self::Request
        } else if query_text(span).is_some_and(|text| repeated.contains(text)) {
            Self::Repeated
        } else if attribute(span, "chokepoint.cache.name").is_some() {
            Self::Cache
        } else if text(span, "db.system.name").is_some() {
            Self::Database
        } else if span.name.ends_with("wait") {
            Self::Wait
        } else {
            Self::Other
        }
    }
}

pub fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

/// Text of a span: the statement of a query, or the name.
pub fn said(span: &SpanData) -> &str {
    query_text(span).unwrap_or(&span.name)
}

/// Texts that repeat: queries first, then by count, the highest first.
pub fn repeats(trace: &Trace) -> Vec<Repeat<'_>> {
    let mut all: HashMap<&str, Repeat<'_>> = HashMap::new();
    for span in &trace.spans {
        let (text, is_query) = (said(span), query_text(span).is_some());
        let new = || Repeat { text, count: 0, total: Duration::ZERO, is_query };
        let repeat = all.entry(text).or_insert_with(new);
        repeat.count += 1;
        repeat.total += duration(span);
    }
    let mut all: Vec<_> = all.into_values().filter(|repeat| repeat.count >= REPEATED).collect();
    all.sort_by(|a, b| (b.is_query, b.count, a.text).cmp(&(a.is_query, a.count, b.text)));
    all
}

/// All spans in the order of display: parents before children, siblings by start time.
pub fn lines<'a>(trace: &'a Trace, repeats: &[Repeat<'a>]) -> Vec<Line<'a>> {
    let repeated = repeats.iter().filter(|r| r.is_query).map(|r| r.text).collect();
    let known: HashSet<SpanId> = trace.spans.iter().map(|s| s.span_context.span_id()).collect();
    let mut parts: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
    for span in &trace.spans {
        let parent = span.parent_span_id;
        let parent = if known.contains(&parent) { parent } else { SpanId::INVALID };
        parts.entry(parent).or_default().push(span);
    }
    // Taken from the end, so the first comes last.
    parts.values_mut().for_each(|spans| spans.sort_by_key(|span| Reverse(span.start_time)));
    let below = |parts: &mut HashMap<_, _>, id, depth| -> Vec<_> {
        let spans: Vec<&SpanData> = parts.remove(&id).unwrap_or_default();
        spans.into_iter().map(|span| (span, depth)).collect()
    };
    let mut to_do = below(&mut parts, SpanId::INVALID, 0);
    let mut lines = Vec::with_capacity(trace.spans.len());
    while let Some((span, depth)) = to_do.pop() {
        lines.push(Line { span, depth, about: About::of(span, &repeated) });
        to_do.extend(below(&mut parts, span.span_context.span_id(), depth + 1));
    }
    lines
}

/// Begin and end of each time in which the request was ready and no worker polled it.
pub fn ready(whole: &SpanData) -> Vec<(SystemTime, SystemTime)> {
    let times =
        whole.events.iter().filter(|event| event.name == ready::EVENT).filter_map(|event| {
            let length = event.attributes.iter().find(|a| a.key.as_str() == ready::ATTRIBUTE)?;
            let Value::F64(millis) = length.value else { return None };
            let length = Duration::try_from_secs_f64(millis / 1e3).ok()?;
            Some((event.timestamp, event.timestamp + length))
        });
    times.collect()
}

/// Length of all these times.
pub fn total(times: &[(SystemTime, SystemTime)]) -> Duration {
    times.iter().map(|(begin, end)| end.duration_since(*begin).unwrap_or_default()).sum()
}

/// Time of spans with this text in which the request was not merely waiting for a worker.
pub fn without_ready(trace: &Trace, text: &str, ready: &[(SystemTime, SystemTime)]) -> Duration {
    let spans = trace.spans.iter().filter(|span| said(span) == text);
    spans
        .map(|span| {
            let shared = ready.iter().map(|(begin, end)| {
                let (begin, end) = (*begin.max(&span.start_time), *end.min(&span.end_time));
                end.duration_since(begin).unwrap_or_default()
            });
            duration(span).saturating_sub(shared.sum())
        })
        .sum()
}

/// Time of a span in which none of its parts was under way: its own work.
pub fn untraced(whole: &SpanData, lines: &[Line<'_>]) -> Duration {
    let mut parts: Vec<(SystemTime, SystemTime)> = lines
        .iter()
        .filter(|line| !std::ptr::eq(line.span, whole))
        .map(|line| {
            (line.span.start_time.max(whole.start_time), line.span.end_time.min(whole.end_time))
        })
        .collect();
    parts.sort_unstable();
    let mut covered = Duration::ZERO;
    let mut until = whole.start_time;
    for (start, end) in parts {
        covered += end.duration_since(start.max(until)).unwrap_or_default();
        until = until.max(end);
    }
    duration(whole).saturating_sub(covered)
}

#[cfg(test)]
mod tests;
