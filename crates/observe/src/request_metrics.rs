//! Metrics of one route and method: requests counted, timed and in flight, under axum-prometheus's
//! names, and histograms of their costs.
//!
//! axum-prometheus's own callbacks make their labels anew for every request, which took a fifth of
//! the rate of a tiny answer; these handles are kept.

use std::sync::{PoisonError, RwLock};

use metrics::{Counter, Gauge, Histogram, Label, counter, gauge, histogram};

use super::{
    cost::{self, Cost, row::Row},
    labels::Labels,
    metrics::names,
};

/// Metric handles of one route and method.
pub struct RequestMetrics {
    labels: Vec<Label>,
    pending: Gauge,
    /// Handles by status. A route has few statuses, so a scan is faster than hashing.
    answered: RwLock<Vec<(u16, Answered)>>,
    costs: Vec<(cost::Counter, &'static Row, Histogram)>,
}

#[derive(Clone)]
struct Answered {
    total: Counter,
    duration: Histogram,
}

impl RequestMetrics {
    /// Creates the handles; `labels` are those of the route.
    pub fn new(route: &str, method: &'static str, labels: &Labels) -> Self {
        let mut of_series =
            vec![Label::new("method", method), Label::new("route", route.to_owned())];
        of_series.extend(labels.pairs().map(|(key, value)| Label::new(key, value.to_owned())));
        let with_histogram = |counter: &cost::Counter| {
            let row = counter.row().filter(|row| row.buckets.is_some() && row.is_measured())?;
            Some((*counter, row, histogram!(row.names.metric, of_series.iter())))
        };
        Self {
            pending: gauge!(names::HTTP_REQUESTS_PENDING, of_series.iter()),
            answered: RwLock::default(),
            costs: cost::Counter::ALL.iter().filter_map(with_histogram).collect(),
            labels: of_series,
        }
    }

    /// Counts a request that begins.
    pub fn begin(&self) {
        self.pending.increment(1);
    }

    /// Counts a request that ended.
    pub fn end(&self) {
        self.pending.decrement(1);
    }

    /// Records the cost of a request.
    pub fn record_cost(&self, cost: &Cost) {
        for (counter, row, histogram) in &self.costs {
            histogram.record(row.in_metric(cost.value(*counter)));
        }
    }

    /// Counts an answer.
    pub fn record(&self, status: u16, seconds: f64) {
        // A panic while the lock was held leaves a list that is whole: pushing is its one step.
        let known = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answered)) = known.iter().find(|(known, _)| *known == status) {
            return answered.record(seconds);
        }
        drop(known);
        let mut labels = self.labels.clone();
        labels.push(Label::new("status", status.to_string()));
        // Two requests may both get here; their handles lead to the same series.
        let answered = Answered {
            total: counter!(names::HTTP_REQUESTS, labels.iter()),
            duration: histogram!(names::HTTP_REQUEST_TIME, labels.iter()),
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
