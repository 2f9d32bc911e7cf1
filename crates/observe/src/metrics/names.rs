//! Every metric of this crate: its name with its unit, its help text, its buckets.

use axum_prometheus::{
    AXUM_HTTP_REQUESTS_DURATION_SECONDS, AXUM_HTTP_REQUESTS_PENDING, AXUM_HTTP_REQUESTS_TOTAL,
};

use super::{
    COUNTS,
    Kind::{Counter, Gauge, Histogram},
    REQUEST_SECONDS, SHORT_SECONDS,
    text::Family,
};

crate::define_metrics! {
    // Requests.
    HTTP_REQUESTS: Counter, AXUM_HTTP_REQUESTS_TOTAL,
        "Requests answered, by route template, method and status.";
    HTTP_REQUEST_TIME: Histogram(REQUEST_SECONDS), AXUM_HTTP_REQUESTS_DURATION_SECONDS,
        "Time from a request's arrival at the router to its answer, by route template, method \
         and status.";
    HTTP_REQUESTS_PENDING: Gauge, AXUM_HTTP_REQUESTS_PENDING,
        "Requests in flight, by route template and method.";

    // The database pool.
    POOL_CONNECTIONS: Gauge, "chokepoint_db_pool_connections",
        "Open connections of the database pool, by state.";
    POOL_LIMIT: Gauge, "chokepoint_db_pool_limit",
        "Most connections the database pool opens.";

    // The runtimes.
    RUNTIME_WORKERS: Gauge, "chokepoint_runtime_workers",
        "Worker threads of a tokio runtime.";
    RUNTIME_BUSY_RATIO: Gauge, "chokepoint_runtime_busy_ratio",
        "Share of the last seconds that the workers of a runtime were busy, 0 to 1. A worker \
         that is held reports when it is released.";
    RUNTIME_TASKS: Gauge, "chokepoint_runtime_tasks",
        "Tasks alive on a runtime.";
    RUNTIME_QUEUE: Gauge, "chokepoint_runtime_queued_tasks",
        "Tasks waiting for a worker, by queue.";
    RUNTIME_BLOCKING: Gauge, "chokepoint_runtime_blocking_threads",
        "Threads of the blocking pool of a runtime, by state.";
    RUNTIME_BLOCKING_QUEUE: Gauge, "chokepoint_runtime_blocking_queued_tasks",
        "Tasks waiting for a thread of the blocking pool.";
    RUNTIME_BLOCKING_WAIT: Histogram(SHORT_SECONDS), "chokepoint_runtime_blocking_wait_seconds",
        "Time a closure waited for a thread of a runtime's blocking pool, by source: `task` is \
         work of a request, `probe` an empty closure every 100 ms.";
    RUNTIME_LONGEST_POLL: Gauge, "chokepoint_runtime_longest_poll_seconds",
        "Longest poll of any task on a runtime in the last 5 seconds, rounded up to a power of \
         two of nanoseconds. A poll counts when it is over.";
    BLOCKED_POLLS: Counter, "chokepoint_blocked_polls_total",
        "Polls that held a worker of the app for 10 ms or longer, by route template.";
    SCHEDULING_DELAY: Histogram(SHORT_SECONDS), "chokepoint_app_scheduling_delay_seconds",
        "How late the app runtime ran a task that was due: a probe that sleeps 100 ms at a time.";

    // Recent traces.
    TRACE_RING_TRACES: Gauge, "chokepoint_trace_ring_traces",
        "Traces that are kept in this process, for /debug/traces.";
    TRACE_RING_SPANS: Gauge, "chokepoint_trace_ring_spans",
        "Spans of the traces that are kept in this process.";
    TRACE_RING_BYTES: Gauge, "chokepoint_trace_ring_bytes",
        "Memory that the kept traces take, spans on their way to them included.";
    TRACE_RING_MAX_BYTES: Gauge, "chokepoint_trace_ring_max_bytes",
        "Memory that the kept traces may take; then the oldest go.";
    TRACE_RING_DROPPED: Counter, "chokepoint_trace_ring_spans_dropped_total",
        "Spans that are not kept, by reason: evicted with the oldest trace, late for a trace \
         that was evicted, trace_full or queue_full where they found no room.";

    // Traces.
    SPANS_EXPORTED: Counter, "chokepoint_spans_exported_total",
        "Spans that an OTLP receiver took.";
    SPANS_DROPPED: Counter, "chokepoint_spans_dropped_total",
        "Spans that were to be exported and were not, by reason: no room in the queue, or the \
         receiver did not take them.";

    // The process.
    LOG_LINES_DROPPED: Counter, "chokepoint_log_lines_dropped_total",
        "Log lines dropped because the writer's queue was full.";
    BUILD_INFO: Gauge, "chokepoint_build_info",
        "Always 1; the labels say what was built.";
    PROCESS_START: Gauge, "process_start_time_seconds",
        "Start time of the process since the epoch.";
}

/// Number of histograms of a request. (`REQUEST.len()` in another constant's type is a cycle.)
pub const OF_REQUEST: usize = 9;

/// Histograms of request costs, by route and method, counted by `cost_histograms`.
pub const REQUEST: [Family; OF_REQUEST] = [
    Family::counts(
        "chokepoint_request_queries",
        "Statements sent to the database for one request.",
        COUNTS,
    ),
    Family::counts(
        "chokepoint_request_rows",
        "Rows the database returned for one request.",
        COUNTS,
    ),
    Family::counts(
        "chokepoint_request_switches",
        "Voluntary context switches inside the polls of one request: its worker thread gave up the \
         core, which is what blocking is.",
        COUNTS,
    ),
    Family::seconds(
        "chokepoint_request_busy_seconds",
        "Wall time inside the polls of one request: how long it held a worker thread.",
        REQUEST_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_off_cpu_seconds",
        "Wall time inside the polls of one request that was not CPU time.",
        REQUEST_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_longest_poll_seconds",
        "The longest poll of one request.",
        SHORT_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_db_seconds",
        "Time one request waited for the database, pool included, summed over its queries.",
        REQUEST_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_pool_wait_seconds",
        "Time one request waited for a pooled connection, on SQLite for the write lock too, summed \
         over its queries.",
        SHORT_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_queue_wait_seconds",
        "Time one /api/v1 request waited for one of the threads that such requests hold.",
        REQUEST_SECONDS,
    ),
];

/// Poll times, which a runtime counts itself: the recorder can't hold them, `runtime` renders them.
pub const RUNTIME_POLL: Family = Family::seconds(
    "chokepoint_runtime_poll_seconds",
    "Time of single polls of any task, by runtime. The sum is the workers' busy time.",
    // tokio has buckets of its own.
    &[],
);
