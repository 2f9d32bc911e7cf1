//! Wait times for a thread of a runtime's blocking pool: those of requests, and of a probe.

use std::time::{Duration, Instant};

use metrics::histogram;
use tokio::{
    runtime::Handle,
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use crate::metrics::names;

/// Time between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// Runtime of the pool, by the name in its series.
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

/// Runs `work` on the blocking pool of the current runtime, which must be that of `pool`.
pub fn spawn<T: Send + 'static>(
    pool: Pool,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let submitted = Instant::now();
    spawn_blocking(move || {
        record(pool, "task", submitted);
        work()
    })
}

fn record(pool: Pool, source: &'static str, submitted: Instant) {
    histogram!(names::RUNTIME_BLOCKING_WAIT, "runtime" => pool.name(), "source" => source)
        .record(submitted.elapsed());
}

/// Runs empty closures on the pool, one after another: each waits as long as any other work. Run it
/// on ops, so that held app workers do not delay it. Ends with the probed runtime.
pub async fn probe(pool: Pool, runtime: Handle) {
    let mut every = interval(PROBE_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let submitted = Instant::now();
        // One at a time: more would only fill a full pool further.
        if runtime.spawn_blocking(move || record(pool, "probe", submitted)).await.is_err() {
            return;
        }
    }
}
