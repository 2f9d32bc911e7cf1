//! Histograms of request costs, by route and method. They count in place: the recorder would keep
//! each value with its time until the next scrape, nine values for every request.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{
    cost::{Cost, Counter},
    metrics::{
        names::{OF_REQUEST, REQUEST},
        text::Family,
    },
};

/// One histogram for each family of `REQUEST`.
pub struct CostHistograms([Histogram; OF_REQUEST]);

impl Default for CostHistograms {
    fn default() -> Self {
        Self(REQUEST.each_ref().map(Histogram::of))
    }
}

/// Values that a finished request adds to each family of `REQUEST`; None adds nothing.
fn values(cost: &Cost) -> [Option<u64>; OF_REQUEST] {
    let is_measured = Counter::Switches.is_measured();
    [
        Some(cost.queries),
        Some(cost.rows),
        is_measured.then_some(cost.switches),
        Some(cost.busy_ns),
        is_measured.then(|| cost.off_cpu_ns()),
        Some(cost.longest_poll_ns),
        Some(cost.db_ns),
        Some(cost.pool_wait_ns),
        // Most requests have no queue.
        (cost.queue_wait_ns > 0).then_some(cost.queue_wait_ns),
    ]
}

impl CostHistograms {
    pub fn record(&self, cost: &Cost) {
        for (histogram, value) in self.0.iter().zip(values(cost)) {
            if let Some(value) = value {
                histogram.record(value);
            }
        }
    }

    /// Appends all histograms as text, each with its labels.
    pub fn push_all<'a>(text: &mut String, all: impl Iterator<Item = (String, &'a Self)> + Clone) {
        for (index, family) in REQUEST.iter().enumerate() {
            family.push_head(text);
            for (labels, of_one) in all.clone() {
                let Histogram { buckets, sum } = &of_one.0[index];
                let bounds = family.bounds.iter().copied().chain([f64::INFINITY]);
                let counts = buckets.iter().map(|bucket| bucket.count.load(Relaxed));
                let sum = sum.load(Relaxed) as f64 / family.per_unit;
                family.push_series(text, &labels, bounds.zip(counts), sum);
            }
        }
    }
}

/// Histogram without a lock: threads never wait for each other.
struct Histogram {
    buckets: Box<[Bucket]>,
    sum: AtomicU64,
}

struct Bucket {
    up_to: u64,
    count: AtomicU64,
}

impl Histogram {
    fn of(family: &Family) -> Self {
        let bound = |bound: &f64| (bound * family.per_unit).round() as u64;
        let bounds = family.bounds.iter().map(bound).chain([u64::MAX]);
        let buckets = bounds.map(|up_to| Bucket { up_to, count: AtomicU64::new(0) }).collect();
        Self { buckets, sum: AtomicU64::new(0) }
    }

    fn record(&self, value: u64) {
        // The last bucket takes every value.
        if let Some(bucket) = self.buckets.iter().find(|bucket| value <= bucket.up_to) {
            bucket.count.fetch_add(1, Relaxed);
        }
        if value > 0 {
            self.sum.fetch_add(value, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_its_bucket_and_all_above_and_in_the_sum() {
        let histograms = CostHistograms::default();
        for (queries, busy_ns) in [(1, 2_000_000), (101, 2_000_001), (5_000, 0)] {
            histograms.record(&Cost { queries, busy_ns, ..Cost::default() });
        }
        let mut text = String::new();
        CostHistograms::push_all(&mut text, [("a=\"b\"".to_owned(), &histograms)].into_iter());
        for line in [
            "# TYPE chokepoint_request_queries histogram",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"0\"} 0",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"1\"} 1",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"100\"} 1",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"200\"} 2",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"1000\"} 2",
            "chokepoint_request_queries_bucket{a=\"b\",le=\"+Inf\"} 3",
            "chokepoint_request_queries_sum{a=\"b\"} 5102",
            "chokepoint_request_queries_count{a=\"b\"} 3",
            "chokepoint_request_busy_seconds_bucket{a=\"b\",le=\"0.001\"} 1",
            "chokepoint_request_busy_seconds_bucket{a=\"b\",le=\"0.002\"} 2",
            "chokepoint_request_busy_seconds_bucket{a=\"b\",le=\"0.005\"} 3",
            "chokepoint_request_busy_seconds_sum{a=\"b\"} 0.004000001",
            // No request had this wait, which is not a wait of zero.
            "chokepoint_request_queue_wait_seconds_count{a=\"b\"} 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert_eq!(text.matches("# HELP ").count(), OF_REQUEST);
    }

    #[test]
    fn each_number_of_the_cost_goes_to_the_histogram_of_its_name() {
        let cost = Cost {
            queries: 1,
            rows: 2,
            switches: 3,
            busy_ns: 11_000_000_000,
            cpu_ns: 6_000_000_000,
            longest_poll_ns: 7_000_000_000,
            db_ns: 8_000_000_000,
            pool_wait_ns: 9_000_000_000,
            queue_wait_ns: 10_000_000_000,
            ..Cost::default()
        };
        let histograms = CostHistograms::default();
        histograms.record(&cost);
        let mut text = String::new();
        CostHistograms::push_all(&mut text, [(String::new(), &histograms)].into_iter());
        let sums: Vec<_> = text.lines().filter(|line| line.contains("_sum{")).collect();
        let of_thread = |sum| if Counter::Switches.is_measured() { sum } else { 0 };
        let expected = [
            ("queries", 1),
            ("rows", 2),
            ("switches", of_thread(3)),
            ("busy_seconds", 11),
            ("off_cpu_seconds", of_thread(5)),
            ("longest_poll_seconds", 7),
            ("db_seconds", 8),
            ("pool_wait_seconds", 9),
            ("queue_wait_seconds", 10),
        ];
        assert_eq!(
            sums,
            expected.map(|(name, sum)| format!("chokepoint_request_{name}_sum{{}} {sum}"))
        );
    }
}
