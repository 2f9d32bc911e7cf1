//! Packed form of a span: written when the span happens, parsed when it is read. Most are never
//! read, so writing one is a few copies into one piece of memory, and the reader does the rest.
//!
//! A head of fixed length comes first, then items, each with a tag; the last item of a kind counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::SpanData;

/// Attributes, names and events as bytes.
mod items;
/// Parser of packed spans.
mod read;

use items::Failure;
pub use items::{Items, PackedEvent};
pub use read::{Item, Raw, View};

/// Initial size in bytes. Most spans fit, so that their memory never moves while it grows.
const USUAL: usize = 1_536;

/// Most events of one span, as in OpenTelemetry's own spans.
const MAX_EVENTS: u32 = 128;

/// Attribute of spans of statements sent to a database.
pub const QUERY_TEXT: &str = "db.query.text";

/// Offsets in the head, in bytes. The total length comes first.
mod at {
    pub const TRACE: usize = 4;
    pub const SPAN: usize = 20;
    pub const PARENT: usize = 28;
    pub const BEGAN: usize = 36;
    pub const ENDED: usize = 44;
    pub const FLAGS: usize = 52;
    pub const KIND: usize = 53;
    /// Properties of the span, as bits.
    pub const IS: usize = 54;
    pub const ITEMS: usize = 55;
}

mod is {
    pub const BELOW_REMOTE: u8 = 1;
    pub const QUERY: u8 = 2;
    pub const FAILED: u8 = 4;
}

mod tag {
    pub const NAME: u8 = 0;
    pub const STATE: u8 = 1;
    pub const OK: u8 = 2;
    pub const ERROR: u8 = 3;
    pub const EVENT: u8 = 4;
    pub const BOOL: u8 = 5;
    pub const INT: u8 = 6;
    pub const FLOAT: u8 = 7;
    pub const TEXT: u8 = 8;
    pub const TEXTS: u8 = 9;
    /// Number of dropped events.
    pub const EVENTS_DROPPED: u8 = 10;
    /// Bit added to a tag above: an attribute of the last event.
    pub const OF_EVENT: u8 = 128;
}

const KINDS: [SpanKind; 5] = [
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];

/// Ids and flags of a span.
pub struct Names {
    pub trace: TraceId,
    pub span: SpanId,
    pub parent: SpanId,
    pub is_parent_remote: bool,
    pub flags: TraceFlags,
}

/// Packed span under construction.
pub struct Packed {
    items: Items,
    events: u32,
    events_dropped: u32,
}

impl Packed {
    pub fn new(names: &Names, began: SystemTime) -> Self {
        let mut bytes = Vec::with_capacity(USUAL);
        bytes.resize(at::ITEMS, 0);
        bytes[at::TRACE..at::SPAN].copy_from_slice(&names.trace.to_bytes());
        bytes[at::SPAN..at::PARENT].copy_from_slice(&names.span.to_bytes());
        bytes[at::PARENT..at::BEGAN].copy_from_slice(&names.parent.to_bytes());
        bytes[at::BEGAN..at::ENDED].copy_from_slice(&nanos(began).to_le_bytes());
        bytes[at::FLAGS] = names.flags.to_u8();
        bytes[at::IS] = if names.is_parent_remote { is::BELOW_REMOTE } else { 0 };
        Self { items: Items { bytes, of: 0, is_query: false }, events: 0, events_dropped: 0 }
    }

    pub fn attributes(&mut self) -> &mut Items {
        &mut self.items
    }

    pub fn name(&mut self, name: &str) {
        self.items.push(tag::NAME);
        self.items.text(name);
    }

    pub fn kind(&mut self, kind: &SpanKind) {
        let index = KINDS.iter().position(|known| known == kind).unwrap_or_default();
        self.items.bytes[at::KIND] = index as u8;
    }

    pub fn state(&mut self, state: &TraceState) {
        if *state != TraceState::NONE {
            self.items.push(tag::STATE);
            self.items.text(&state.header());
        }
    }

    pub fn status(&mut self, status: &Status) {
        match status {
            Status::Unset => {}
            Status::Ok => self.items.push(tag::OK),
            Status::Error { description } => {
                self.items.bytes[at::IS] |= is::FAILED;
                self.items.push(tag::ERROR);
                self.items.text(description);
            }
        }
    }

    /// Adds an event; beyond `MAX_EVENTS` it is only counted.
    pub fn add(&mut self, event: &PackedEvent) {
        let has_failed = self.items.bytes[at::IS] & is::FAILED != 0;
        match &event.failure {
            Some(Failure::By(error)) => self.status(&Status::error(error.clone())),
            Some(Failure::Somehow) if !has_failed => self.status(&Status::error("")),
            _ => {}
        }
        if self.events == MAX_EVENTS {
            self.events_dropped += 1;
            return;
        }
        self.events += 1;
        self.items.bytes.extend_from_slice(&event.items.bytes);
    }

    /// Finishes the span, which ended at `at`.
    pub fn ended(mut self, at: SystemTime) -> Vec<u8> {
        if self.events_dropped > 0 {
            self.items.push(tag::EVENTS_DROPPED);
            self.items.bytes.extend_from_slice(&self.events_dropped.to_le_bytes());
        }
        let Items { mut bytes, is_query, .. } = self.items;
        if is_query {
            bytes[at::IS] |= is::QUERY;
        }
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes[..at::TRACE].copy_from_slice(&length.to_le_bytes());
        bytes[at::ENDED..at::FLAGS].copy_from_slice(&nanos(at).to_le_bytes());
        bytes
    }
}

/// Packs a span of OpenTelemetry's own tracer.
pub fn packed(span: &SpanData) -> Vec<u8> {
    let names = Names {
        trace: span.span_context.trace_id(),
        span: span.span_context.span_id(),
        parent: span.parent_span_id,
        is_parent_remote: span.parent_span_is_remote,
        flags: span.span_context.trace_flags(),
    };
    let mut packed = Packed::new(&names, span.start_time);
    packed.name(&span.name);
    packed.kind(&span.span_kind);
    packed.state(span.span_context.trace_state());
    packed.status(&span.status);
    for attribute in &span.attributes {
        packed.attributes().value(attribute.key.as_str(), &attribute.value);
    }
    for event in span.events.iter() {
        let mut packed_event = PackedEvent::new(&event.name, event.timestamp);
        for attribute in &event.attributes {
            packed_event.attributes().value(attribute.key.as_str(), &attribute.value);
        }
        packed.add(&packed_event);
    }
    packed.events_dropped = span.events.dropped_count;
    packed.ended(span.end_time)
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn moment(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

#[cfg(test)]
mod tests;
