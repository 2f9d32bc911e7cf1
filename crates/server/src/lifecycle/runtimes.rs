//! Two tokio runtimes that share no thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use tokio::runtime::{Builder, Runtime};

use super::StartError;
use observe::{runtime::polls, workers::Workers};

/// Enough to serve metrics while a profile is symbolised.
const OPS_WORKERS: usize = 2;

/// Beginning of a worker's name; its number follows.
const WORKER: &str = "app-worker-";

/// Runtime of the app. Workers are named `app-worker-*`, blocking-pool threads `app-blocking-*`. Each
/// worker takes its slot of `slots`.
pub fn app(workers: usize, slots: Arc<Workers>) -> Result<Runtime, StartError> {
    let take_slot = move || {
        let number =
            thread::current().name().and_then(|name| name.strip_prefix(WORKER)?.parse().ok());
        if let Some(number) = number {
            slots.join(number);
        }
    };
    let started = AtomicUsize::new(0);
    let name = move || {
        // A runtime starts its workers first.
        match started.fetch_add(1, Relaxed) {
            n if n < workers => format!("{WORKER}{n}"),
            n => format!("app-blocking-{}", n - workers),
        }
    };
    let mut builder = measured();
    builder.worker_threads(workers).thread_name_fn(name).on_thread_start(take_slot);
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
