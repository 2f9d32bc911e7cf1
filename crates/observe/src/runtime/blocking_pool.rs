//! How long work waits for a thread of a runtime's blocking pool: that of requests, and a probe.

use std::time::{Duration, Instant};

use metrics::histogram;
use tokio::{
    runtime::Handle,
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use crate::metrics::names;

/// How often the probe asks for a thread.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// A runtime, by the name that its series carry.
#[derive(Clone, Copy)]
pub enum Pool {
    App,
    Ops,
}

impl Pool {
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Ops => "ops",
        }
    }
}

/// Runs `work` on the blocking pool of the runtime that calls, which is that of `pool`.
pub fn spawn<T: Send + 'static>(
    pool: Pool,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let asked = Instant::now();
    spawn_blocking(move || {
        record(pool, "task", asked);
        work()
    })
}

fn record(pool: Pool, source: &'static str, asked: Instant) {
    histogram!(names::RUNTIME_BLOCKING_WAIT, "runtime" => pool.name(), "source" => source)
        .record(asked.elapsed());
}

/// Sends an empty closure through the pool again and again: it waits as long as anybody's would.
/// To be run on ops, so that held workers of the app do not delay it. Ends with the runtime asked.
pub async fn probe(pool: Pool, runtime: Handle) {
    let mut every = interval(PROBE_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let asked = Instant::now();
        // One at a time, or a pool that is full would only become fuller.
        if runtime.spawn_blocking(move || record(pool, "probe", asked)).await.is_err() {
            return;
        }
    }
}
