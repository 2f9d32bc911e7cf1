//! The spans of one trace, packed behind each other.

use opentelemetry::trace::TraceId;

use super::{allocated, packed::View};

/// Spans of one trace. A client may send one trace id for ever, and a loop may query for ever.
const MAX_SPANS: usize = 2_000;

/// Beyond that only requests themselves are taken, or a long trace would lose what it is about: that ends
/// last.
const MAX_ENTRIES_BEYOND: usize = 100;

#[derive(Clone, Debug)]
pub struct Bundle {
    pub id: TraceId,
    packed: Vec<u8>,
    pub spans: usize,
    /// Spans that found no room in this trace.
    pub dropped: u64,
    /// Spans of statements sent to a database.
    pub queries: usize,
    entries: usize,
}

impl Bundle {
    pub fn new(id: TraceId) -> Self {
        Self { id, packed: Vec::new(), spans: 0, dropped: 0, queries: 0, entries: 0 }
    }

    /// False if there was no room for it.
    pub fn add(&mut self, span: View<'_>, max_bytes: usize) -> bool {
        let is_full = self.spans >= MAX_SPANS || self.bytes() > max_bytes;
        if is_full && !(span.is_entry() && self.entries <= MAX_ENTRIES_BEYOND) {
            self.dropped += 1;
            return false;
        }
        if self.packed.is_empty() {
            // Mostly a statement, and the request is still to come.
            self.packed.reserve_exact(2 * span.bytes().len());
        }
        self.packed.extend_from_slice(span.bytes());
        self.spans += 1;
        self.queries += usize::from(span.is_query());
        self.entries += usize::from(span.is_entry());
        true
    }

    /// As they ended.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        View::all(&self.packed)
    }

    /// What its spans take.
    pub fn bytes(&self) -> usize {
        allocated(self.packed.capacity())
    }
}
