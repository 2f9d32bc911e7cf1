//! Exact statistics of recent requests: histograms give only means, and evidence needs min and max.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::cost::{Cost, Counter};

/// Requests kept for each route; older ones are forgotten. Three megabytes at most.
const KEPT: usize = 10_000;

/// Last requests of one route, each with its cost.
#[derive(Default)]
pub struct Measurements {
    kept: Mutex<Kept>,
    /// Own counters of the route, beside those of the table.
    own: Vec<Counter>,
}

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

/// Statistics of the requests that were answered since a moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    pub count: u64,
    /// True if some requests since that moment are no longer kept.
    pub is_partial: bool,
    /// Number of answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Empty when `count` is 0. Counters that this system can't measure are left out.
    pub counters: BTreeMap<Counter, Figures>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub min: f64,
    pub mean: f64,
    pub p90: f64,
    pub max: f64,
}

impl Measurements {
    /// Measurements of a route that has these counters of its own.
    pub fn with_own(own: Vec<Counter>) -> Self {
        Self { own, ..Self::default() }
    }

    pub fn own_counters(&self) -> &[Counter] {
        &self.own
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic while the lock was held leaves a queue that is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.between(since, None)
    }

    /// Statistics of the requests that were answered from `since` to `until`, both included.
    pub fn between(&self, since: Option<SystemTime>, until: Option<SystemTime>) -> Summary {
        let (wanted, is_partial) = self.answered(since, until);
        let mut summary = Summary { count: wanted.len() as u64, is_partial, ..Summary::default() };
        for (status, _) in &wanted {
            *summary.statuses.entry(*status).or_default() += 1;
        }
        let counters = Counter::ALL.iter().chain(&self.own).copied();
        for counter in counters.filter(|counter| counter.is_measured()) {
            let values: Vec<f64> = wanted.iter().map(|(_, cost)| cost.get(counter)).collect();
            summary.counters.extend(Figures::of(values).map(|figures| (counter, figures)));
        }
        summary
    }

    /// Copies the wanted requests, to hold the lock only briefly; true if some are forgotten.
    fn answered(
        &self,
        since: Option<SystemTime>,
        until: Option<SystemTime>,
    ) -> (Vec<(u16, Cost)>, bool) {
        let kept = self.kept();
        let is_wanted = |r: &&Request| {
            since.is_none_or(|since| r.answered >= since)
                && until.is_none_or(|until| r.answered <= until)
        };
        let wanted = kept.requests.iter().filter(is_wanted).map(|r| (r.status, r.cost)).collect();
        let forgotten = kept.forgotten_until;
        (wanted, forgotten.is_some_and(|t| since.is_none_or(|since| t >= since)))
    }
}

impl Figures {
    /// Returns None if there are no values.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        // Nearest rank: the least value that nine of ten requests don't exceed.
        let p90 = values[(values.len() * 9).div_ceil(10) - 1];
        Some(Self { min, mean, p90, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_queries(counts: &[u64]) -> Measurements {
        let measurements = Measurements::default();
        for queries in counts {
            measurements.record(200, &Cost::of([(Counter::Queries, *queries)]));
        }
        measurements
    }

    #[test]
    fn figures_are_exact() {
        let summary = with_queries(&[1, 101, 3]).since(None);
        assert_eq!(summary.count, 3);
        assert_eq!(summary.statuses, BTreeMap::from([(200, 3)]));
        let figures = summary.counters[&Counter::Queries];
        assert_eq!(figures, Figures { min: 1.0, mean: 35.0, p90: 101.0, max: 101.0 });
        let of_ten = with_queries(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 99]).since(None);
        assert_eq!(of_ten.counters[&Counter::Queries].p90, 9.0);
    }

    #[test]
    fn only_requests_since_the_moment_count() {
        let measurements = with_queries(&[1, 1]);
        let later = SystemTime::now();
        measurements.record(200, &Cost::of([(Counter::Queries, 7)]));
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
