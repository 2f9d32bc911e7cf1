//! The recent traces, within a bound of memory: `/debug/traces` shows them, nothing else needed.
//!
//! A span that ends is left with `Incoming`, which is all that an app worker does. Whoever reads, and
//! a thread when much waits, moves the spans to their traces (`Kept`), which evicts the oldest.

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

/// The spans of one trace, as they are kept.
mod bundle;
/// How much is held.
mod holding;
/// Spans on their way in.
mod incoming;
/// Traces by id, oldest first.
mod kept;
/// A span as bytes.
pub mod packed;
/// Which requests somebody wants to see.
pub mod select;
/// One trace, to be shown.
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
    /// What both lists of spans on their way in take, full or not.
    incoming_bytes: usize,
}

struct State {
    kept: Kept,
    /// What takes the place of the spans that wait.
    empty: Vec<u8>,
    /// Of the process; the same for all spans.
    resource: ResourceAttributesWithSchema,
}

impl TraceRing {
    /// Starts the thread that takes spans in when many wait. All of it may take so many bytes, spans on
    /// their way in included.
    pub fn start(max_bytes: usize) -> Arc<Self> {
        // Of 24 MiB a quarter of a second at 4,000 requests of labs a second.
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

    /// Hands every span that ends to this ring.
    pub fn processor(self: &Arc<Self>) -> impl SpanProcessor + 'static {
        Processor(self.clone())
    }

    /// Takes a packed span, where it ends.
    pub fn add(&self, span: &[u8]) {
        self.incoming.push(span);
    }

    /// The state with every span that has ended so far.
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

    /// A trace as OTLP has it.
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

/// Allocators round up: jemalloc to four sizes for each power of two, and never less than 16 bytes.
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
