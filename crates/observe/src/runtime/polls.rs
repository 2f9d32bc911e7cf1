//! Poll times, counted by tokio for each worker: a histogram, and the longest recent poll.

use std::{collections::VecDeque, time::Duration};

use metrics::gauge;
use tokio::runtime::{HistogramConfiguration, LogHistogram, RuntimeMetrics};

use crate::metrics::names;

/// Range of the buckets, whose bounds double: from a good poll to a blocked worker.
const SHORTEST: Duration = Duration::from_micros(10);
const LONGEST: Duration = Duration::from_secs(10);

/// Samples that the longest poll spans, one each second.
const SAMPLES: usize = 5;

/// Configures the buckets of both runtimes.
pub fn buckets() -> HistogramConfiguration {
    let buckets = LogHistogram::builder().precision_exact(0);
    HistogramConfiguration::log(buckets.min_value(SHORTEST).max_value(LONGEST).build())
}

/// Counts of polls by bucket, over all workers.
fn counts(now: &RuntimeMetrics) -> Vec<u64> {
    let of = |bucket| {
        (0..now.num_workers()).map(|w| now.poll_time_histogram_bucket_count(w, bucket)).sum()
    };
    (0..now.poll_time_histogram_num_buckets()).map(of).collect()
}

/// Appends the histogram for Prometheus. The recorder can't take over tokio's counts.
pub fn push_histogram(text: &mut String, runtime: &str, now: &RuntimeMetrics) {
    let counts = counts(now);
    let bound = |bucket| match bucket + 1 == counts.len() {
        true => f64::INFINITY,
        false => now.poll_time_histogram_bucket_range(bucket).end.as_secs_f64(),
    };
    let busy: Duration = (0..now.num_workers()).map(|w| now.worker_total_busy_duration(w)).sum();
    let buckets = counts.iter().enumerate().map(|(bucket, count)| (bound(bucket), *count));
    let labels = format!("runtime=\"{runtime}\"");
    names::RUNTIME_POLL.push_series(text, &labels, buckets, busy.as_secs_f64());
}

/// The longest poll of the last `SAMPLES`.
pub struct LongestPoll {
    runtime: &'static str,
    samples: VecDeque<Vec<u64>>,
}

impl LongestPoll {
    pub fn new(runtime: &'static str) -> Self {
        Self { runtime, samples: VecDeque::with_capacity(SAMPLES + 1) }
    }

    pub fn sample(&mut self, now: &RuntimeMetrics) {
        let counts = counts(now);
        let before = self.samples.front().unwrap_or(&counts);
        let longest = counts.iter().zip(before).rposition(|(now, before)| now > before);
        let longest = longest.map_or(0.0, |bucket| {
            let range = now.poll_time_histogram_bucket_range(bucket);
            // The last bucket has no end.
            if bucket + 1 == counts.len() { range.start } else { range.end }.as_secs_f64()
        });
        gauge!(names::RUNTIME_LONGEST_POLL, "runtime" => self.runtime).set(longest);
        self.samples.push_back(counts);
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
    }
}
