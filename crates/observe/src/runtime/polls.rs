//! Poll times, counted by tokio for each worker: a histogram, and the longest recent poll.

use std::{collections::VecDeque, fmt::Write, time::Duration};

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

/// Poll times in Prometheus's text format: the recorder can't take over tokio's counts.
pub fn push_histograms<'a>(
    text: &mut String,
    runtimes: impl IntoIterator<Item = (&'a str, RuntimeMetrics)>,
) {
    const NAME: &str = "chokepoint_runtime_poll_seconds";
    const HELP: &str =
        "Time of single polls of any task, by runtime. The sum is the workers' busy time.";
    // Writing to a String can't fail.
    let _ = writeln!(text, "# HELP {NAME} {HELP}\n# TYPE {NAME} histogram");
    for (runtime, now) in runtimes {
        let counts = counts(&now);
        let mut below = 0;
        for (bucket, count) in counts.iter().enumerate() {
            below += count;
            let end = now.poll_time_histogram_bucket_range(bucket).end.as_secs_f64();
            let bound =
                if bucket + 1 == counts.len() { "+Inf".to_owned() } else { end.to_string() };
            let _ = writeln!(text, "{NAME}_bucket{{runtime=\"{runtime}\",le=\"{bound}\"}} {below}");
        }
        let busy: Duration =
            (0..now.num_workers()).map(|w| now.worker_total_busy_duration(w)).sum();
        let sum = busy.as_secs_f64();
        let _ = writeln!(text, "{NAME}_sum{{runtime=\"{runtime}\"}} {sum}");
        let _ = writeln!(text, "{NAME}_count{{runtime=\"{runtime}\"}} {below}");
    }
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
