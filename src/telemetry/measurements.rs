//! Exact figures of recent requests: histograms give only means, and evidence needs least and most.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::budget::{Cost, Counter};

/// Requests kept; older ones are forgotten and counted. Two megabytes at most.
const KEPT: usize = 10_000;

/// The last requests of one route, each with its budget.
#[derive(Default)]
pub struct Measurements(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    requests: VecDeque<Request>,
    forgotten_until: Option<SystemTime>,
}

struct Request {
    answered: SystemTime,
    status: u16,
    cost: Cost,
}

/// Figures over the requests that were answered since a moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    pub count: u64,
    /// True if some requests since that moment are no longer kept.
    pub is_partial: bool,
    /// How many answers had which status.
    pub statuses: BTreeMap<u16, u64>,
    /// Empty when `count` is 0. What this machine can't measure is left out.
    pub counters: BTreeMap<Counter, Figures>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

impl Measurements {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic while the lock was held leaves a queue that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn record(&self, status: u16, cost: &Cost) {
        let answered = SystemTime::now();
        let mut kept = self.kept();
        if kept.requests.len() == KEPT {
            kept.forgotten_until = kept.requests.pop_front().map(|oldest| oldest.answered);
        }
        kept.requests.push_back(Request { answered, status, cost: *cost });
    }

    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    pub fn since(&self, since: Option<SystemTime>) -> Summary {
        let kept = self.kept();
        let mut summary = Summary {
            is_partial: kept.forgotten_until.is_some_and(|t| since.is_none_or(|since| t >= since)),
            ..Summary::default()
        };
        let is_wanted = |r: &&Request| since.is_none_or(|since| r.answered >= since);
        for request in kept.requests.iter().filter(is_wanted) {
            summary.count += 1;
            *summary.statuses.entry(request.status).or_default() += 1;
            for counter in Counter::ALL.into_iter().filter(|c| c.is_measured()) {
                let value = request.cost.get(counter);
                let figures = summary.counters.entry(counter).or_insert(Figures::NONE);
                figures.add(value);
            }
        }
        for figures in summary.counters.values_mut() {
            figures.mean /= summary.count as f64;
        }
        summary
    }
}

impl Figures {
    const NONE: Self = Self { min: f64::INFINITY, mean: 0.0, max: f64::NEG_INFINITY };

    /// `mean` holds the sum until the last value is in.
    fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.mean += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_queries(counts: &[u64]) -> Measurements {
        let measurements = Measurements::default();
        for queries in counts {
            measurements.record(200, &Cost { queries: *queries, ..Cost::default() });
        }
        measurements
    }

    #[test]
    fn least_mean_and_most_are_exact() {
        let summary = with_queries(&[1, 101, 3]).since(None);
        assert_eq!(summary.count, 3);
        assert_eq!(summary.statuses, BTreeMap::from([(200, 3)]));
        let figures = summary.counters[&Counter::Queries];
        assert_eq!(figures, Figures { min: 1.0, mean: 35.0, max: 101.0 });
    }

    #[test]
    fn only_requests_since_the_moment_count() {
        let measurements = with_queries(&[1, 1]);
        let later = SystemTime::now();
        measurements.record(200, &Cost { queries: 7, ..Cost::default() });
        let summary = measurements.since(Some(later));
        assert_eq!((summary.count, summary.counters[&Counter::Queries].min), (1, 7.0));
    }

    #[test]
    fn a_summary_says_when_requests_were_forgotten() {
        let before = SystemTime::now();
        let measurements = with_queries(&vec![1; KEPT]);
        assert!(!measurements.since(Some(before)).is_partial);
        measurements.record(200, &Cost::default());
        let summary = measurements.since(Some(before));
        assert_eq!((summary.count, summary.is_partial), (KEPT as u64, true));
        measurements.clear();
        assert_eq!(measurements.since(None).count, 0);
    }
}
