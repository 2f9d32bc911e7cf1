//! Memory that a span takes.

use opentelemetry::{
    Array, KeyValue, Value,
    trace::{Event, Status, TraceState},
};
use opentelemetry_sdk::trace::SpanData;

/// Bytes of one member of a `tracestate` beside its text: its place, and what rounding adds.
const MEMBER: usize = size_of::<(String, String)>() + 8;

/// Estimates the bytes of a span in an `Arc`. It is an estimate: the names of attributes count as
/// static, which those of `tracing` are, other texts as owned, and the allocator's classes of size
/// are jemalloc's. A test compares it with what the allocator handed out.
pub fn of_span(span: &SpanData) -> usize {
    let status = match &span.status {
        Status::Error { description } => of_text(description),
        Status::Unset | Status::Ok => 0,
    };
    let events: usize =
        span.events.iter().map(|event| of_text(&event.name) + of_values(&event.attributes)).sum();
    allocated(size_of::<[usize; 2]>() + size_of::<SpanData>())
        + of_text(&span.name)
        + status
        + of_state(span.span_context.trace_state())
        + of_list::<KeyValue>(span.attributes.capacity())
        + of_values(&span.attributes)
        + of_list::<Event>(span.events.events.capacity())
        + events
}

/// Rounds up as allocators do: jemalloc to four sizes for each power of two, at least 16 bytes.
pub fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}

/// Bytes of a list with room for so many.
pub fn of_list<T>(capacity: usize) -> usize {
    allocated(capacity * size_of::<T>())
}

fn of_text(text: &str) -> usize {
    allocated(text.len())
}

fn of_values(attributes: &[KeyValue]) -> usize {
    let of_value = |attribute: &KeyValue| match &attribute.value {
        Value::String(text) => of_text(text.as_str()),
        Value::Array(Array::String(texts)) => texts.iter().map(|text| of_text(text.as_str())).sum(),
        // Numbers stand in the list itself, and our spans have no other arrays.
        _ => 0,
    };
    attributes.iter().map(of_value).sum()
}

/// Each span has a copy of its client's `tracestate`.
fn of_state(state: &TraceState) -> usize {
    match state.header() {
        header if header.is_empty() => 0,
        header => header.split(',').count() * MEMBER + header.len(),
    }
}
