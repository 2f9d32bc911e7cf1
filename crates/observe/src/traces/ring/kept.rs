//! Kept traces: found by id, oldest first, evicted whole.

use std::{
    collections::{HashMap, VecDeque},
    mem::size_of,
};

use opentelemetry::trace::TraceId;

use super::{allocated, bundle::Bundle, packed::View};

/// Evicted traces whose late spans are refused: a fragment of a trace is of no use.
const EVICTED_REMEMBERED: usize = 1_024;

/// Bytes of an id and its number in the map, with the map's control byte and its free eighth.
const NUMBER_BYTES: usize = 40;

pub struct Kept {
    traces: VecDeque<Bundle>,
    /// Numbers of traces in order of arrival. Those before `first` are evicted.
    numbers: HashMap<TraceId, u64>,
    first: u64,
    evicted: VecDeque<TraceId>,
    spans: usize,
    /// Bytes of the spans alone; `bytes` is the total.
    trace_bytes: usize,
    max_bytes: usize,
    pub dropped: Dropped,
}

/// Spans that are not kept, by reason, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Evicted with their trace, the oldest, to make room.
    pub evicted: u64,
    /// Ended after their trace had been evicted.
    pub late: u64,
    /// Refused because their trace had its most spans or bytes.
    pub trace_full: u64,
    /// Refused because they ended faster than they could be taken in.
    pub queue_full: u64,
}

impl Kept {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            traces: VecDeque::new(),
            numbers: HashMap::new(),
            first: 0,
            evicted: VecDeque::new(),
            spans: 0,
            trace_bytes: 0,
            max_bytes,
            dropped: Dropped::default(),
        }
    }

    pub fn add(&mut self, span: View<'_>) {
        let id = span.trace();
        let next = self.first + self.traces.len() as u64;
        let number = *self.numbers.entry(id).or_insert(next);
        if number < self.first {
            self.dropped.late += 1;
            return;
        }
        if number == next {
            let new = Bundle::new(id);
            self.trace_bytes += new.bytes();
            self.traces.push_back(new);
        }
        let index = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        let Some(trace) = self.traces.get_mut(index) else { return };
        let before = trace.bytes();
        if trace.add(span, self.max_bytes / 8) {
            self.spans += 1;
        } else {
            self.dropped.trace_full += 1;
        }
        self.trace_bytes = self.trace_bytes - before + trace.bytes();
        while self.bytes() > self.max_bytes && self.evict_oldest() {}
    }

    fn evict_oldest(&mut self) -> bool {
        let Some(oldest) = self.traces.pop_front() else { return false };
        self.first += 1;
        self.spans -= oldest.spans;
        self.trace_bytes -= oldest.bytes();
        self.dropped.evicted += oldest.spans as u64;
        self.evicted.push_back(oldest.id);
        if self.evicted.len() > EVICTED_REMEMBERED
            && let Some(forgotten) = self.evicted.pop_front()
        {
            self.numbers.remove(&forgotten);
        }
        true
    }

    pub fn get(&self, id: TraceId) -> Option<&Bundle> {
        let index = self.numbers.get(&id)?.checked_sub(self.first)?;
        self.traces.get(usize::try_from(index).ok()?)
    }

    pub fn traces(&self) -> &VecDeque<Bundle> {
        &self.traces
    }

    pub fn spans(&self) -> usize {
        self.spans
    }

    pub fn bytes(&self) -> usize {
        self.trace_bytes
            + allocated(self.traces.capacity() * size_of::<Bundle>())
            + allocated(self.evicted.capacity() * size_of::<TraceId>())
            + self.numbers.capacity() * NUMBER_BYTES
    }
}
