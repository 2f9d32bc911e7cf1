//! Span store: a span processor that keeps the recent traces within a memory bound, for
//! `/debug/traces`.
//!
//! App workers take the lock whenever a span ends, so readers hold it only to copy pointers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::{counter, gauge};
use opentelemetry::{Context, trace::TraceId};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use crate::metrics::names;

/// Kept traces by id; the oldest are evicted.
mod kept;
/// Memory that a span takes.
mod size;
/// One trace, and readers of its spans.
pub mod trace;

use kept::Kept;
pub use kept::{Dropped, Holding};
use trace::{Request, Trace};

/// Handle to the store: the pipeline fills it, the ops routes read it.
#[derive(Clone, Debug)]
pub struct SpanStore(Arc<Mutex<State>>);

/// Most pinned traces: those of the last two races of two lanes. Each has an eighth of the memory at
/// most, like any other trace.
const MAX_PINNED: usize = 4;

#[derive(Debug)]
struct State {
    kept: Kept,
    /// Traces that somebody looks at, which newer ones do not evict.
    pinned: VecDeque<Trace>,
    /// Resource of the process; the same for all spans.
    resource: Resource,
}

impl SpanStore {
    pub fn new(max_bytes: usize) -> Self {
        let resource = Resource::builder_empty().build();
        Self(Arc::new(Mutex::new(State {
            kept: Kept::new(max_bytes),
            pinned: VecDeque::new(),
            resource,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held may have lost a span, nothing else.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, id: TraceId) -> Option<Trace> {
        let state = self.lock();
        let pinned = || state.pinned.iter().find(|trace| trace.id == id);
        state.kept.get(id).or_else(pinned).cloned()
    }

    /// Pins a kept trace as it is now, so that newer ones do not evict it; the oldest pinned one is
    /// let go for it.
    pub fn pin(&self, id: TraceId) {
        let mut state = self.lock();
        if let Some(trace) = state.kept.get(id).cloned() {
            if state.pinned.len() == MAX_PINNED {
                state.pinned.pop_front();
            }
            state.pinned.push_back(trace);
        }
    }

    /// True if there is such a trace.
    pub fn has(&self, id: TraceId) -> bool {
        self.lock().kept.get(id).is_some()
    }

    /// Requests of all traces, in no order.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().kept.requests()
    }

    /// Converts a trace to OTLP.
    pub fn otlp(&self, trace: Trace) -> TracesData {
        let resource = self.lock().resource.clone();
        let spans = trace.spans.into_iter().map(Arc::unwrap_or_clone).collect();
        TracesData { resource_spans: group_spans_by_resource_and_scope(spans, &(&resource).into()) }
    }

    pub fn holding(&self) -> Holding {
        self.lock().kept.holding()
    }
}

impl SpanProcessor for SpanStore {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let bytes = size::of_span(&span);
        let span = Arc::new(span);
        let evicted = self.lock().kept.add(span, bytes);
        // Freed without the lock, which others wait for.
        drop(evicted);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.lock().resource = resource.clone();
    }
}

impl Holding {
    /// Sets the metrics. Call it before each scrape.
    pub fn report(&self) {
        gauge!(names::TRACE_RING_TRACES).set(self.traces as f64);
        gauge!(names::TRACE_RING_SPANS).set(self.spans as f64);
        gauge!(names::TRACE_RING_BYTES).set(self.bytes as f64);
        gauge!(names::TRACE_RING_MAX_BYTES).set(self.max_bytes as f64);
        let Dropped { evicted, late, trace_full } = self.dropped;
        for (reason, spans) in [("evicted", evicted), ("late", late), ("trace_full", trace_full)] {
            counter!(names::TRACE_RING_DROPPED, "reason" => reason).absolute(spans);
        }
    }
}

#[cfg(test)]
mod tests;
