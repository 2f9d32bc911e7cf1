//! Requests of one route and method counted, timed and in flight, under axum-prometheus's names.
//!
//! Its own callbacks make their labels anew for every request, which took a fifth of the rate of a
//! tiny answer; these handles are kept.

use std::sync::{PoisonError, RwLock};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::metrics::names;

/// Metric handles of one route and method.
pub struct RequestMetrics {
    route: String,
    method: &'static str,
    pending: Gauge,
    /// Handles by status. A route has few statuses, so a scan is faster than hashing.
    answered: RwLock<Vec<(u16, Answered)>>,
}

#[derive(Clone)]
struct Answered {
    total: Counter,
    duration: Histogram,
}

impl RequestMetrics {
    pub fn new(route: &str, method: &'static str) -> Self {
        let route = route.to_owned();
        let labels = [("method", method.to_owned()), ("endpoint", route.clone())];
        let pending = gauge!(names::HTTP_REQUESTS_PENDING, &labels);
        Self { route, method, pending, answered: RwLock::default() }
    }

    /// Counts a request that begins.
    pub fn begin(&self) {
        self.pending.increment(1);
    }

    /// Counts a request that ended.
    pub fn end(&self) {
        self.pending.decrement(1);
    }

    /// Counts an answer.
    pub fn record(&self, status: u16, seconds: f64) {
        // A panic while the lock was held leaves a list that is whole: pushing is its one step.
        let known = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answered)) = known.iter().find(|(known, _)| *known == status) {
            return answered.record(seconds);
        }
        drop(known);
        let labels = [
            ("method", self.method.to_owned()),
            ("status", status.to_string()),
            ("endpoint", self.route.clone()),
        ];
        // Two requests may both get here; their handles lead to the same series.
        let answered = Answered {
            total: counter!(names::HTTP_REQUESTS, &labels),
            duration: histogram!(names::HTTP_REQUEST_TIME, &labels),
        };
        answered.record(seconds);
        let mut known = self.answered.write().unwrap_or_else(PoisonError::into_inner);
        known.push((status, answered));
    }
}

impl Answered {
    fn record(&self, seconds: f64) {
        self.total.increment(1);
        self.duration.record(seconds);
    }
}
