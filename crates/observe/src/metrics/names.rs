//! Every metric of this crate: its name with its unit, its help text, its buckets.

use axum_prometheus::{
    AXUM_HTTP_REQUESTS_DURATION_SECONDS, AXUM_HTTP_REQUESTS_PENDING, AXUM_HTTP_REQUESTS_TOTAL,
};

use super::Kind::{Counter, Gauge, Histogram};
use crate::buckets::{REQUEST_SECONDS, SHORT_SECONDS};

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
        "Memory that the kept traces take, as the server estimates it.";
    TRACE_RING_MAX_BYTES: Gauge, "chokepoint_trace_ring_max_bytes",
        "Memory that the kept traces may take; then the oldest go.";
    TRACE_RING_DROPPED: Counter, "chokepoint_trace_ring_spans_dropped_total",
        "Spans that are not kept, by reason: evicted with the oldest trace, late for a trace \
         that was evicted, trace_full where their trace had no more room.";

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
