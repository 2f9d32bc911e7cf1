//! Kept traces by id. When their memory is full the oldest is evicted, whole: a trace without some
//! of its queries tells a wrong number.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::SpanData;

use super::{
    size,
    trace::{Request, Trace},
};

/// Evicted traces whose late spans are refused: a fragment of a trace is of no use.
const EVICTED_REMEMBERED: usize = 1_024;

#[derive(Debug)]
pub struct Kept {
    /// Traces by id; None for one that was evicted.
    traces: HashMap<TraceId, Option<Box<Trace>>>,
    /// Ids in order of arrival: the evicted ones, then the kept ones.
    order: VecDeque<TraceId>,
    evicted: usize,
    spans: usize,
    /// Bytes of the traces alone; `bytes` is the total.
    trace_bytes: usize,
    max_bytes: usize,
    dropped: Dropped,
}

/// Content of the store now, and its losses since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    pub traces: usize,
    pub spans: usize,
    pub bytes: usize,
    pub max_bytes: usize,
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
}

impl Kept {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            traces: HashMap::new(),
            order: VecDeque::new(),
            evicted: 0,
            spans: 0,
            trace_bytes: 0,
            max_bytes,
            dropped: Dropped::default(),
        }
    }

    /// Adds a span of so many bytes, and returns the traces that were evicted for it.
    pub fn add(&mut self, span: Arc<SpanData>, bytes: usize) -> Vec<Trace> {
        let id = span.span_context.trace_id();
        let trace = self.traces.entry(id).or_insert_with(|| {
            self.order.push_back(id);
            let new = Trace::new(id);
            self.trace_bytes += new.bytes();
            Some(Box::new(new))
        });
        let Some(trace) = trace else {
            self.dropped.late += 1;
            return Vec::new();
        };
        let before = trace.bytes();
        if trace.add(span, bytes, self.max_bytes / 8) {
            self.spans += 1;
        } else {
            self.dropped.trace_full += 1;
        }
        self.trace_bytes = self.trace_bytes - before + trace.bytes();
        let mut evicted = Vec::new();
        while self.bytes() > self.max_bytes
            && let Some(oldest) = self.evict_oldest()
        {
            evicted.push(*oldest);
        }
        evicted
    }

    fn evict_oldest(&mut self) -> Option<Box<Trace>> {
        let oldest = self.traces.get_mut(self.order.get(self.evicted)?)?.take()?;
        self.evicted += 1;
        self.spans -= oldest.spans.len();
        self.trace_bytes -= oldest.bytes();
        self.dropped.evicted += oldest.spans.len() as u64;
        if self.evicted > EVICTED_REMEMBERED
            && let Some(forgotten) = self.order.pop_front()
        {
            self.evicted -= 1;
            self.traces.remove(&forgotten);
        }
        Some(oldest)
    }

    pub fn get(&self, id: TraceId) -> Option<&Trace> {
        self.traces.get(&id)?.as_deref()
    }

    /// Requests of all traces.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::with_capacity(self.traces.len());
        requests.extend(self.traces.values().flatten().flat_map(|trace| trace.requests()));
        requests
    }

    pub fn holding(&self) -> Holding {
        Holding {
            traces: self.order.len() - self.evicted,
            spans: self.spans,
            bytes: self.bytes(),
            max_bytes: self.max_bytes,
            dropped: self.dropped,
        }
    }

    fn bytes(&self) -> usize {
        // A hash table keeps an eighth free, and a control byte for each place.
        self.trace_bytes
            + size::of_list::<TraceId>(self.order.capacity())
            + size::of_list::<(TraceId, Option<Box<Trace>>)>(self.traces.capacity() * 8 / 7)
            + self.traces.capacity()
    }
}
