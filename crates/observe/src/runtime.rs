//! Samples both tokio runtimes and the connection pool, and probes how late the app runtime runs a
//! task that is due.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{gauge, histogram};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::metrics::{Metrics, names};

/// Wait times of the blocking pools.
pub mod blocking_pool;
/// Poll times of all tasks.
pub mod polls;

use blocking_pool::Pool;
use polls::LongestPoll;

/// Time between two samples of the gauges.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Samples that the busy ratio spans: 5 s, long enough that a held worker has reported.
const BUSY_SAMPLES: usize = 5;

/// Sleep time of the probe. Its delay is what any short request would have waited.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// Current connections of a database pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolUse {
    pub open: u32,
    pub idle: u32,
    pub limit: u32,
}

/// Both tokio runtimes, by the names in their series.
#[derive(Clone)]
pub struct Runtimes {
    pub app: Handle,
    pub ops: Handle,
}

impl Runtimes {
    fn all(&self) -> [(Pool, &Handle); 2] {
        [(Pool::App, &self.app), (Pool::Ops, &self.ops)]
    }

    /// Starts the sampler and the probes, which end with their runtimes. `pool` reads the pool.
    pub fn watch(&self, pool: impl Fn() -> PoolUse + Send + 'static, metrics: Arc<Metrics>) {
        let runtimes = self.clone();
        self.ops.spawn(async move {
            let names = runtimes.all().map(|(pool, _)| pool.name());
            let mut samplers = names.map(|name| (BusyRatio::new(name), LongestPoll::new(name)));
            let mut every = tokio::time::interval(SAMPLE_EVERY);
            loop {
                every.tick().await;
                for ((pool, handle), (busy, longest)) in runtimes.all().iter().zip(&mut samplers) {
                    sample(pool.name(), &handle.metrics(), busy);
                    longest.sample(&handle.metrics());
                }
                report_pool(&pool());
                metrics.upkeep();
            }
        });
        for (pool, handle) in self.all() {
            self.ops.spawn(blocking_pool::probe(pool, handle.clone()));
        }
        self.app.spawn(async {
            let delay = histogram!(names::SCHEDULING_DELAY);
            loop {
                let due = Instant::now() + PROBE_EVERY;
                tokio::time::sleep_until(due.into()).await;
                delay.record(due.elapsed().as_secs_f64());
            }
        });
    }

    /// Appends the histograms of poll times for Prometheus.
    pub fn push_poll_histograms(&self, text: &mut String) {
        let runtimes = self.all().map(|(pool, handle)| (pool.name(), handle.metrics()));
        polls::push_histograms(text, runtimes);
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

fn report_pool(pool: &PoolUse) {
    gauge!(names::POOL_LIMIT).set(f64::from(pool.limit));
    for (state, connections) in
        [("idle", pool.idle), ("in_use", pool.open.saturating_sub(pool.idle))]
    {
        gauge!(names::POOL_CONNECTIONS, "state" => state).set(f64::from(connections));
    }
}

/// Busy time of the workers over the last `BUSY_SAMPLES`, as a share of the possible time.
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
