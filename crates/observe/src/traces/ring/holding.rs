//! Content of the ring in numbers, and its metrics.

use metrics::{counter, gauge};

use super::Dropped;
use crate::metrics::names;

/// Content of the ring now, and its losses since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    pub traces: usize,
    pub spans: usize,
    pub bytes: usize,
    pub max_bytes: usize,
    pub dropped: Dropped,
}

impl Holding {
    /// Sets the metrics. Call it before each scrape.
    pub fn report(&self) {
        gauge!(names::TRACE_RING_TRACES).set(self.traces as f64);
        gauge!(names::TRACE_RING_SPANS).set(self.spans as f64);
        gauge!(names::TRACE_RING_BYTES).set(self.bytes as f64);
        gauge!(names::TRACE_RING_MAX_BYTES).set(self.max_bytes as f64);
        let Dropped { evicted, late, trace_full, queue_full } = self.dropped;
        for (reason, spans) in [
            ("evicted", evicted),
            ("late", late),
            ("trace_full", trace_full),
            ("queue_full", queue_full),
        ] {
            counter!(names::TRACE_RING_DROPPED, "reason" => reason).absolute(spans);
        }
    }
}
