//! Two tokio runtimes that share no thread.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::runtime::{Builder, Runtime};

use super::StartError;
use observe::runtime::polls;

/// Enough to serve metrics while a profile is symbolised.
const OPS_WORKERS: usize = 2;

/// Runtime of the app. Workers are named `app-worker-*`, blocking-pool threads `app-blocking-*`.
pub fn app(workers: usize) -> Result<Runtime, StartError> {
    let started = AtomicUsize::new(0);
    let name = move || {
        // A runtime starts its workers first.
        match started.fetch_add(1, Relaxed) {
            n if n < workers => format!("app-worker-{n}"),
            n => format!("app-blocking-{}", n - workers),
        }
    };
    let mut builder = measured();
    builder.worker_threads(workers).thread_name_fn(name);
    let runtime = builder.on_thread_stop(observe::threads::thread_stops).build();
    runtime.map_err(StartError::of("WORKER_THREADS"))
}

pub fn ops() -> Result<Runtime, StartError> {
    let runtime = measured().worker_threads(OPS_WORKERS).thread_name("ops").build();
    runtime.map_err(StartError::of("ops runtime"))
}

/// Runtime builder with the statistics that metrics need.
fn measured() -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder
        .on_thread_park(observe::thread_parks)
        .enable_metrics_poll_time_histogram()
        .metrics_poll_time_histogram_configuration(polls::buckets())
        .enable_all();
    builder
}
