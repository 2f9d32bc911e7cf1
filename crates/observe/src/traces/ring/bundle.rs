//! Spans of one trace, packed one after another.

use opentelemetry::trace::TraceId;

use super::{allocated, packed::View};

/// Most spans of one trace. A client may send one trace id forever, and a loop may query forever.
const MAX_SPANS: usize = 2_000;

/// Most requests of a full trace. It still takes requests, because a request's own span ends last,
/// and a long trace must not lose it.
const MAX_ENTRIES_BEYOND: usize = 100;

#[derive(Clone, Debug)]
pub struct Bundle {
    pub id: TraceId,
    packed: Vec<u8>,
    pub spans: usize,
    /// Spans dropped because this trace was full.
    pub dropped: u64,
    /// Spans of statements sent to a database.
    pub queries: usize,
    entries: usize,
}

impl Bundle {
    pub fn new(id: TraceId) -> Self {
        Self { id, packed: Vec::new(), spans: 0, dropped: 0, queries: 0, entries: 0 }
    }

    /// Adds a span; returns false if the trace is full.
    pub fn add(&mut self, span: View<'_>, max_bytes: usize) -> bool {
        let is_full = self.spans >= MAX_SPANS || self.bytes() > max_bytes;
        if is_full && !(span.is_entry() && self.entries <= MAX_ENTRIES_BEYOND) {
            self.dropped += 1;
            return false;
        }
        if self.packed.is_empty() {
            // The first span is mostly a statement, and the request's span is still to come.
            self.packed.reserve_exact(2 * span.bytes().len());
        }
        self.packed.extend_from_slice(span.bytes());
        self.spans += 1;
        self.queries += usize::from(span.is_query());
        self.entries += usize::from(span.is_entry());
        true
    }

    /// Spans in the order of their ends.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        View::all(&self.packed)
    }

    /// Bytes that its spans take.
    pub fn bytes(&self) -> usize {
        allocated(self.packed.capacity())
    }
}
