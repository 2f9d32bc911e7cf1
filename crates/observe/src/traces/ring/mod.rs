//! Span store: the recent traces, within a memory bound. `/debug/traces` shows them.
//!
//! An app worker only pushes a span that ends into `Incoming`. Each read, and a thread when many
//! wait, moves the spans to their traces (`Kept`), which evicts the oldest.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use opentelemetry::{Context, trace::TraceId};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use opentelemetry_proto::transform::{
    common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

/// Packed spans of one trace.
mod bundle;
/// Content of the ring in numbers.
mod holding;
/// Queue of incoming spans.
mod incoming;
/// Kept traces by id, oldest first.
mod kept;
/// Packed form of a span.
pub mod packed;
/// Filter and selection of requests.
pub mod select;
/// One trace, unpacked for display.
pub mod trace;

pub use holding::Holding;
use incoming::Incoming;
pub use kept::Dropped;
use kept::Kept;
use packed::View;
use select::{Filter, Selection};
use trace::Trace;

pub struct TraceRing {
    incoming: Incoming,
    state: Mutex<State>,
    max_bytes: usize,
    /// Bytes of both lists of incoming spans, full or not.
    incoming_bytes: usize,
}

struct State {
    kept: Kept,
    /// Empty list to swap with the incoming spans.
    empty: Vec<u8>,
    /// Resource of the process; the same for all spans.
    resource: ResourceAttributesWithSchema,
}

impl TraceRing {
    /// Starts the ring, and the thread that takes spans in when many wait. All of it takes
    /// `max_bytes` at most, incoming spans included.
    pub fn start(max_bytes: usize) -> Arc<Self> {
        // With 24 MiB: a quarter of a second at 4,000 requests of labs a second.
        let room = (max_bytes / 12).max(1);
        let incoming_bytes = 2 * allocated(room);
        let incoming = Incoming::new(room);
        let kept = Kept::new(max_bytes.saturating_sub(incoming_bytes));
        let empty = Vec::with_capacity(room);
        let state = State { kept, empty, resource: ResourceAttributesWithSchema::default() };
        let ring = Arc::new(Self { incoming, state: Mutex::new(state), max_bytes, incoming_bytes });
        let taker = ring.clone();
        let take_in = move || {
            while taker.incoming.wait_until_half_full() {
                drop(taker.current());
            }
        };
        if let Err(error) = thread::Builder::new().name("trace-ring".to_owned()).spawn(take_in) {
            tracing::error!(%error, "no thread for the trace ring");
        }
        ring
    }

    /// Span processor that adds every span that ends to this ring.
    pub fn processor(self: &Arc<Self>) -> impl SpanProcessor + 'static {
        Processor(self.clone())
    }

    /// Adds a packed span that has ended.
    pub fn add(&self, span: &[u8]) {
        self.incoming.push(span);
    }

    /// Locks the state, with every span that has ended so far.
    fn current(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held may have lost a span, nothing else.
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        state.empty.clear();
        self.incoming.take_into(&mut state.empty);
        View::all(&state.empty).for_each(|span| state.kept.add(span));
        guard
    }

    pub fn get(&self, id: TraceId) -> Option<Trace> {
        let bundle = self.current().kept.get(id)?.clone();
        Some(Trace::of(&bundle))
    }

    pub fn select(&self, filter: &Filter, limit: usize) -> Selection {
        Selection::of(self.current().kept.traces(), filter, limit)
    }

    /// Converts a trace to OTLP.
    pub fn otlp(&self, trace: Trace) -> TracesData {
        let state = self.current();
        TracesData {
            resource_spans: group_spans_by_resource_and_scope(trace.spans, &state.resource),
        }
    }

    pub fn holding(&self) -> Holding {
        let state = self.current();
        let kept = &state.kept;
        Holding {
            traces: kept.traces().len(),
            spans: kept.spans(),
            bytes: kept.bytes() + self.incoming_bytes,
            max_bytes: self.max_bytes,
            dropped: Dropped { queue_full: self.incoming.dropped(), ..kept.dropped },
        }
    }
}

/// Rounds up as allocators do: jemalloc to four sizes for each power of two, at least 16 bytes.
fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}

struct Processor(Arc<TraceRing>);

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TraceRing")
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.add(&packed::packed(&span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        drop(self.0.current());
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.0.incoming.close();
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.current().resource = resource.into();
    }
}

#[cfg(test)]
mod tests;
