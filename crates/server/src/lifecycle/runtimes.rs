//! Two tokio runtimes that share no thread.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::runtime::{Builder, Runtime};

use super::StartError;
use observe::runtime::polls;

/// Enough for metrics while a profile is being resolved.
const OPS_WORKERS: usize = 2;

/// Workers are named `app-worker-*`, threads of the blocking pool `app-blocking-*`.
pub fn app(workers: usize) -> Result<Runtime, StartError> {
    let started = AtomicUsize::new(0);
    let name = move || {
        // Workers are the first threads that a runtime starts.
        match started.fetch_add(1, Relaxed) {
            n if n < workers => format!("app-worker-{n}"),
            n => format!("app-blocking-{}", n - workers),
        }
    };
    let runtime = measured().worker_threads(workers).thread_name_fn(name).build();
    runtime.map_err(StartError::of("WORKER_THREADS"))
}

pub fn ops() -> Result<Runtime, StartError> {
    let runtime = measured().worker_threads(OPS_WORKERS).thread_name("ops").build();
    runtime.map_err(StartError::of("ops runtime"))
}

/// One that metrics can tell about.
fn measured() -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder
        .on_thread_park(observe::thread_parks)
        .enable_metrics_poll_time_histogram()
        .metrics_poll_time_histogram_configuration(polls::buckets())
        .enable_all();
    builder
}
