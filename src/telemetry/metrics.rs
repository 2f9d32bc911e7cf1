//! Every metric: its name, its help text, its buckets; and the recorder that holds them all.

use axum_prometheus::{
    AXUM_HTTP_REQUESTS_DURATION_SECONDS, AXUM_HTTP_REQUESTS_PENDING, AXUM_HTTP_REQUESTS_TOTAL,
    EndpointLabel, GenericMetricLayer, Handle, PrometheusMetricLayer, PrometheusMetricLayerBuilder,
};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tracing_appender::non_blocking::ErrorCounter;

use super::route_metrics::UNKNOWN_ROUTE;

pub mod names {
    pub const REQUEST_QUERIES: &str = "chokepoint_request_queries";
    pub const REQUEST_ROWS: &str = "chokepoint_request_rows";
    pub const REQUEST_SWITCHES: &str = "chokepoint_request_switches";
    pub const REQUEST_BUSY: &str = "chokepoint_request_busy_seconds";
    pub const REQUEST_OFF_CPU: &str = "chokepoint_request_off_cpu_seconds";
    pub const REQUEST_LONGEST_POLL: &str = "chokepoint_request_longest_poll_seconds";
    pub const REQUEST_DB: &str = "chokepoint_request_db_seconds";
    pub const REQUEST_POOL_WAIT: &str = "chokepoint_request_pool_wait_seconds";
    pub const POOL_CONNECTIONS: &str = "chokepoint_db_pool_connections";
    pub const POOL_LIMIT: &str = "chokepoint_db_pool_limit";
    pub const RUNTIME_WORKERS: &str = "chokepoint_runtime_workers";
    pub const RUNTIME_BUSY_RATIO: &str = "chokepoint_runtime_busy_ratio";
    pub const RUNTIME_TASKS: &str = "chokepoint_runtime_tasks";
    pub const RUNTIME_QUEUE: &str = "chokepoint_runtime_queued_tasks";
    pub const RUNTIME_BLOCKING: &str = "chokepoint_runtime_blocking_threads";
    pub const RUNTIME_BLOCKING_QUEUE: &str = "chokepoint_runtime_blocking_queued_tasks";
    pub const RUNTIME_POLL: &str = "chokepoint_runtime_poll_seconds";
    pub const SCHEDULING_DELAY: &str = "chokepoint_app_scheduling_delay_seconds";
    pub const LOG_LINES_DROPPED: &str = "chokepoint_log_lines_dropped_total";
    pub const BUILD_INFO: &str = "chokepoint_build_info";
}

/// Resolves 1 ms to 10 s, and a blocked worker beyond.
const REQUEST_SECONDS: [f64; 14] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Polls and waits: from what is good (tens of µs) to what is a bug (tens of ms and more).
const SHORT_SECONDS: [f64; 12] =
    [0.00001, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0];
const COUNTS: [f64; 11] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

const HISTOGRAMS: [(&str, &[f64], &str); 10] = [
    (
        AXUM_HTTP_REQUESTS_DURATION_SECONDS,
        &REQUEST_SECONDS,
        "Time from a request's arrival at the router to its answer, by route template, method and status.",
    ),
    (names::REQUEST_QUERIES, &COUNTS, "Statements sent to the database for one request."),
    (names::REQUEST_ROWS, &COUNTS, "Rows the database returned for one request."),
    (
        names::REQUEST_SWITCHES,
        &COUNTS,
        "Voluntary context switches inside the polls of one request: its worker thread gave up the core, which is what blocking is.",
    ),
    (
        names::REQUEST_BUSY,
        &REQUEST_SECONDS,
        "Wall time inside the polls of one request: how long it held a worker thread.",
    ),
    (
        names::REQUEST_OFF_CPU,
        &REQUEST_SECONDS,
        "Wall time inside the polls of one request that was not CPU time.",
    ),
    (names::REQUEST_LONGEST_POLL, &SHORT_SECONDS, "The longest poll of one request."),
    (
        names::REQUEST_DB,
        &REQUEST_SECONDS,
        "Time one request waited for the database, pool included, summed over its queries.",
    ),
    (
        names::REQUEST_POOL_WAIT,
        &SHORT_SECONDS,
        "Time one request waited for a pooled connection, summed over its queries.",
    ),
    (
        names::SCHEDULING_DELAY,
        &SHORT_SECONDS,
        "How late the app runtime ran a task that was due: a probe that sleeps 100 ms at a time.",
    ),
];

const GAUGES: [(&str, &str); 11] = [
    (AXUM_HTTP_REQUESTS_PENDING, "Requests in flight, by route template and method."),
    (names::POOL_CONNECTIONS, "Open connections of the database pool, by state."),
    (names::POOL_LIMIT, "Most connections the database pool opens."),
    (names::RUNTIME_WORKERS, "Worker threads of a tokio runtime."),
    (
        names::RUNTIME_BUSY_RATIO,
        "Share of the last seconds that the workers of a runtime were busy, 0 to 1. A worker that is held reports when it is released.",
    ),
    (names::RUNTIME_TASKS, "Tasks alive on a runtime."),
    (names::RUNTIME_QUEUE, "Tasks waiting for a worker, by queue."),
    (names::RUNTIME_BLOCKING, "Threads of the blocking pool of a runtime, by state."),
    (names::RUNTIME_BLOCKING_QUEUE, "Tasks waiting for a thread of the blocking pool."),
    (names::BUILD_INFO, "Always 1; the labels say what was built."),
    ("process_start_time_seconds", "Start time of the process since the epoch."),
];

const COUNTERS: [(&str, &str); 2] = [
    (AXUM_HTTP_REQUESTS_TOTAL, "Requests answered, by route template, method and status."),
    (names::LOG_LINES_DROPPED, "Log lines dropped because the writer's queue was full."),
];

/// The recorder of this process, and what is read only when somebody scrapes.
pub struct Metrics {
    recorder: PrometheusHandle,
    process: Collector,
    dropped_lines: ErrorCounter,
}

impl Metrics {
    /// Installs the process-wide recorder; to be called once.
    ///
    /// # Panics
    /// If the process has a recorder already, or a histogram above has no buckets.
    #[expect(clippy::expect_used, reason = "both are mistakes in this program, found at start")]
    pub fn init(dropped_lines: ErrorCounter) -> Self {
        let recorder = recorder().expect("histograms have buckets, and the recorder is the first");
        for (name, _, help) in HISTOGRAMS {
            describe_histogram!(name, help);
        }
        for (name, help) in GAUGES {
            describe_gauge!(name, help);
        }
        for (name, help) in COUNTERS {
            describe_counter!(name, Unit::Count, help);
        }
        let process = Collector::default();
        process.describe();
        gauge!(
            names::BUILD_INFO,
            "version" => env!("CARGO_PKG_VERSION"),
            "profile" => if cfg!(debug_assertions) { "debug" } else { "release" },
            "arch" => std::env::consts::ARCH,
            "os" => std::env::consts::OS,
        )
        .set(1.0);
        Self { recorder, process, dropped_lines }
    }

    /// The Prometheus text format. `runtime_histograms` is text that the recorder can't hold.
    pub fn render(&self, runtime_histograms: &str) -> String {
        self.process.collect();
        counter!(names::LOG_LINES_DROPPED).absolute(self.dropped_lines.dropped_lines() as u64);
        let mut text = self.recorder.render();
        text.push_str(runtime_histograms);
        text
    }

    /// Folds recorded samples into buckets; without it they pile up until somebody scrapes.
    pub fn upkeep(&self) {
        self.recorder.run_upkeep();
    }
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, buckets, _) in HISTOGRAMS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
    }
    builder.install_recorder()
}

/// axum-prometheus, which counts and times requests by route template.
pub fn http_layer() -> GenericMetricLayer<'static, PrometheusHandle, Handle> {
    let layer: PrometheusMetricLayer<'static> = PrometheusMetricLayerBuilder::new()
        .with_endpoint_label_type(EndpointLabel::MatchedPathWithFallbackFn(|_| {
            UNKNOWN_ROUTE.to_owned()
        }))
        .no_initialize_metrics()
        .build();
    layer
}
