//! Samples what nobody records: both tokio runtimes, the connection pool, and how late the app
//! runtime runs a task that is due.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{gauge, histogram};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::metrics::{Metrics, names};
use crate::db::Db;

/// How often the gauges are renewed.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Samples that the busy ratio spans: long enough that a held worker has reported.
const BUSY_SAMPLES: usize = 5;

/// How long the probe sleeps. Its delay is what any short request would have waited.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// The runtimes by the name their series carry.
#[derive(Clone)]
pub struct Runtimes {
    pub app: Handle,
    pub ops: Handle,
}

impl Runtimes {
    fn named(&self) -> [(&'static str, &Handle); 2] {
        [("app", &self.app), ("ops", &self.ops)]
    }

    /// Starts the sampler on ops and the probe on app. Both end with their runtimes.
    pub fn watch(&self, db: Db, metrics: Arc<Metrics>) {
        let runtimes = self.clone();
        self.ops.spawn(async move {
            let mut busy = runtimes.named().map(|(name, _)| BusyRatio::new(name));
            let mut every = tokio::time::interval(SAMPLE_EVERY);
            loop {
                every.tick().await;
                for ((name, handle), busy) in runtimes.named().iter().zip(&mut busy) {
                    sample(name, &handle.metrics(), busy);
                }
                sample_pool(&db);
                metrics.upkeep();
            }
        });
        self.app.spawn(async {
            let delay = histogram!(names::SCHEDULING_DELAY);
            loop {
                let due = Instant::now() + PROBE_EVERY;
                tokio::time::sleep_until(due.into()).await;
                delay.record(due.elapsed().as_secs_f64());
            }
        });
    }

    /// Poll times as a Prometheus histogram. tokio counts them in buckets of its own, which the
    /// recorder has no way to take over.
    pub fn poll_histograms(&self) -> String {
        let name = names::RUNTIME_POLL;
        let mut text = format!(
            "# HELP {name} Time of single polls of any task, by runtime. The sum is the workers' busy time.\n\
             # TYPE {name} histogram\n"
        );
        for (runtime, handle) in self.named() {
            // Writing to a String can't fail.
            let _ = poll_histogram(&mut text, runtime, &handle.metrics());
        }
        text
    }
}

fn sample(runtime: &'static str, now: &RuntimeMetrics, busy: &mut BusyRatio) {
    let workers = now.num_workers();
    let busy_total: Duration = (0..workers).map(|w| now.worker_total_busy_duration(w)).sum();
    let local: usize = (0..workers).map(|w| now.worker_local_queue_depth(w)).sum();
    let idle = now.num_idle_blocking_threads();
    let set = |name, value: usize| gauge!(name, "runtime" => runtime).set(value as f64);
    set(names::RUNTIME_WORKERS, workers);
    set(names::RUNTIME_TASKS, now.num_alive_tasks());
    set(names::RUNTIME_BLOCKING_QUEUE, now.blocking_queue_depth());
    for (queue, depth) in [("global", now.global_queue_depth()), ("local", local)] {
        gauge!(names::RUNTIME_QUEUE, "runtime" => runtime, "queue" => queue).set(depth as f64);
    }
    let in_use = now.num_blocking_threads().saturating_sub(idle);
    for (state, threads) in [("idle", idle), ("in_use", in_use)] {
        gauge!(names::RUNTIME_BLOCKING, "runtime" => runtime, "state" => state).set(threads as f64);
    }
    busy.sample(busy_total, workers);
}

fn sample_pool(db: &Db) {
    let pool = db.pool_use();
    gauge!(names::POOL_LIMIT).set(f64::from(pool.limit));
    for (state, connections) in
        [("idle", pool.idle), ("in_use", pool.open.saturating_sub(pool.idle))]
    {
        gauge!(names::POOL_CONNECTIONS, "state" => state).set(f64::from(connections));
    }
}

/// Busy time over the last `BUSY_SAMPLES`, as a share of what the workers could have been.
struct BusyRatio {
    runtime: &'static str,
    samples: VecDeque<(Instant, Duration)>,
}

impl BusyRatio {
    fn new(runtime: &'static str) -> Self {
        Self { runtime, samples: VecDeque::with_capacity(BUSY_SAMPLES + 1) }
    }

    fn sample(&mut self, busy: Duration, workers: usize) {
        let now = Instant::now();
        let (since, before) = *self.samples.front().unwrap_or(&(now, busy));
        let possible = now.duration_since(since).as_secs_f64() * workers as f64;
        let ratio = if possible > 0.0 {
            (busy.saturating_sub(before).as_secs_f64() / possible).min(1.0)
        } else {
            0.0
        };
        gauge!(names::RUNTIME_BUSY_RATIO, "runtime" => self.runtime).set(ratio);
        self.samples.push_back((now, busy));
        if self.samples.len() > BUSY_SAMPLES {
            self.samples.pop_front();
        }
    }
}

fn poll_histogram(text: &mut String, runtime: &str, now: &RuntimeMetrics) -> std::fmt::Result {
    let name = names::RUNTIME_POLL;
    let workers = now.num_workers();
    let buckets = now.poll_time_histogram_num_buckets();
    let mut count = 0;
    for bucket in 0..buckets {
        count += (0..workers).map(|w| now.poll_time_histogram_bucket_count(w, bucket)).sum::<u64>();
        let end = now.poll_time_histogram_bucket_range(bucket).end;
        let le =
            if bucket + 1 == buckets { "+Inf".to_owned() } else { end.as_secs_f64().to_string() };
        writeln!(text, "{name}_bucket{{runtime=\"{runtime}\",le=\"{le}\"}} {count}")?;
    }
    let busy: Duration = (0..workers).map(|w| now.worker_total_busy_duration(w)).sum();
    writeln!(text, "{name}_sum{{runtime=\"{runtime}\"}} {}", busy.as_secs_f64())?;
    writeln!(text, "{name}_count{{runtime=\"{runtime}\"}} {count}")
}
