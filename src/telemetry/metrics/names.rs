//! Every metric: its name with its unit, its help text, its buckets.

use axum_prometheus::{
    AXUM_HTTP_REQUESTS_DURATION_SECONDS, AXUM_HTTP_REQUESTS_PENDING, AXUM_HTTP_REQUESTS_TOTAL,
};

use super::{
    Kind::{Counter, Gauge, Histogram},
    Metric,
    text::Family,
};

/// Resolves 1 ms to 10 s, and a blocked worker beyond.
const REQUEST_SECONDS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Polls and waits: from what is good (tens of µs) to what is a bug (tens of ms and more).
const SHORT_SECONDS: &[f64] =
    &[0.00001, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0];
const COUNTS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// Makes a constant of each name, and a list of all of them.
macro_rules! metrics {
    ($($constant:ident: $kind:expr, $name:expr, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*
        pub(super) const ALL: &[Metric] =
            &[$(Metric { name: $constant, kind: $kind, help: $help }),*];
    };
}

metrics! {
    // Requests.
    HTTP_REQUESTS: Counter, AXUM_HTTP_REQUESTS_TOTAL,
        "Requests answered, by route template, method and status.";
    HTTP_REQUEST_TIME: Histogram(REQUEST_SECONDS), AXUM_HTTP_REQUESTS_DURATION_SECONDS,
        "Time from a request's arrival at the router to its answer, by route template, method \
         and status.";
    HTTP_REQUESTS_PENDING: Gauge, AXUM_HTTP_REQUESTS_PENDING,
        "Requests in flight, by route template and method.";

    // Connections.
    CONNECTIONS: Gauge, "chokepoint_connections",
        "Open connections of clients, by port.";
    CONNECTIONS_LIMIT: Gauge, "chokepoint_connections_limit",
        "Most connections that clients may have open, by port.";
    CONNECTIONS_REFUSED: Counter, "chokepoint_connections_refused_total",
        "Connections refused with 503, by port and reason: full, or the address had as many as \
         it may have.";
    CONNECTIONS_CLOSED: Counter, "chokepoint_connections_closed_total",
        "Connections that the server closed, by port and reason: half a head, idle, an answer \
         nobody read (write), a client that left, room for another one, stopping, shutdown.";
    MALFORMED_HEADS: Counter, "chokepoint_malformed_heads_total",
        "Request heads that the HTTP library refused before there was a request (400, 414, 431), \
         by port and reason.";

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

    // Passwords.
    PASSWORD_HASHES: Counter, "chokepoint_password_hashes_total",
        "Passwords hashed, to store them or to compare, by concurrency model.";
    PASSWORD_HASH_TIME: Histogram(REQUEST_SECONDS), "chokepoint_password_hash_seconds",
        "Time to hash one password, once it has a thread.";
    PASSWORD_HASH_WAIT: Histogram(REQUEST_SECONDS), "chokepoint_password_hash_wait_seconds",
        "Time one password waited until fewer than one per core were being hashed.";
    PASSWORDS_HASHING: Gauge, "chokepoint_passwords_hashing",
        "Passwords that are being hashed now, at most one per core.";
    PASSWORD_PLACES: Gauge, "chokepoint_password_requests",
        "Requests with a password to hash that are in the server: being hashed, or waiting to be. \
         As many may wait as are hashed in 2 s.";
    PASSWORDS_SHED: Counter, "chokepoint_password_requests_shed_total",
        "Requests answered with 503 because too many passwords waited to be hashed.";

    // Log ingest.
    INGEST_QUEUE: Gauge, "chokepoint_ingest_queue_lines",
        "Log lines accepted and not yet committed.";
    INGEST_CAPACITY: Gauge, "chokepoint_ingest_queue_capacity_lines",
        "Log lines that may wait to be committed; beyond it the answer is 503.";
    INGEST_LINES: Counter, "chokepoint_ingest_lines_total",
        "Log lines committed, by level.";
    INGEST_REFUSED: Counter, "chokepoint_ingest_refused_requests_total",
        "Requests refused because too many log lines waited to be committed.";
    LOG_LINES_EXPIRED: Counter, "chokepoint_log_lines_expired_total",
        "Log lines deleted because they were older than LOG_RETENTION.";
    INGEST_RESTARTS: Counter, "chokepoint_ingest_writer_restarts_total",
        "Panics of the writer of log lines, each of which cost the requests of one group a 503.";
    INGEST_GROUP: Histogram(COUNTS), "chokepoint_ingest_group_lines",
        "Log lines committed in one transaction.";
    INGEST_COMMIT: Histogram(SHORT_SECONDS), "chokepoint_ingest_commit_seconds",
        "Time to write one group of log lines, from BEGIN to the end of its flush to disk.";

    // Threads of /api/v1.
    V1_THREADS: Gauge, "chokepoint_v1_threads",
        "Threads that /api/v1 requests hold, each from dispatch to answer. Those that hash a \
         password have as many others.";
    V1_THREADS_HELD: Gauge, "chokepoint_v1_threads_held",
        "Threads that a /api/v1 request holds now.";
    V1_QUEUE: Gauge, "chokepoint_v1_queued_requests",
        "/api/v1 requests that wait because all their threads are held.";
    V1_NOT_RUN: Counter, "chokepoint_v1_not_run_total",
        "/api/v1 requests that no thread ran, by reason: the queue was full, the client left it, \
         or REQUEST_TIMEOUT was over.";

    // Memory that clients make the server hold.
    HELD_BYTES: Gauge, "chokepoint_held_bytes",
        "Bytes of large answers that are not sent yet, and of large bodies whose request is not \
         answered yet.";
    HELD_BYTES_MAX: Gauge, "chokepoint_held_bytes_max",
        "Bytes of those that there may be; beyond it, or beyond a quarter of what is free for one \
         connection, the answer is 503.";
    HELD_BYTES_REFUSED: Counter, "chokepoint_held_bytes_refused_total",
        "Requests refused because too many bytes were held, of answers or of bodies.";

    // Rate limits.
    RATE_LIMITED: Counter, "chokepoint_rate_limited_total",
        "Requests answered with 429, by limit.";
    RATE_LIMIT_FALLBACKS: Counter, "chokepoint_rate_limit_fallbacks_total",
        "Requests counted in this process because Redis, which counts for all, did not answer.";
    RATE_LIMIT_KEYS: Gauge, "chokepoint_rate_limit_keys",
        "Callers that the rate limits of this process remember, by limit.";

    // The ops port.
    OPS_REFUSED: Counter, "chokepoint_ops_refused_total",
        "Requests to ops that were refused, by reason: a host that it is not called by, or a page \
         of another origin.";

    // The cache.
    CACHE_HITS: Counter, "chokepoint_cache_hits_total",
        "Look-ups that the cache answered, by what is cached.";
    CACHE_MISSES: Counter, "chokepoint_cache_misses_total",
        "Look-ups that the cache did not answer, by what is cached.";
    CACHE_ABSENCES: Counter, "chokepoint_cache_absences_total",
        "Hits that say there is no such thing, by what is cached.";
    CACHE_BLOOM_REJECTIONS: Counter, "chokepoint_cache_bloom_rejections_total",
        "Ids that the Bloom filter refused, so that neither cache nor database was asked.";
    CACHE_LOADS: Counter, "chokepoint_cache_loads_total",
        "Loads from the database after a miss, by what is cached.";
    CACHE_LOCK_WAITS: Counter, "chokepoint_cache_lock_waits_total",
        "Misses that waited for somebody else's load, here or in another instance.";
    CACHE_LOCK_FAILURES: Counter, "chokepoint_cache_lock_failures_total",
        "Misses that waited in vain for a load in another instance and loaded themselves.";
    CACHE_ERRORS: Counter, "chokepoint_cache_errors_total",
        "Calls of the cache that failed or were left out because it is down.";
    CACHE_UP: Gauge, "chokepoint_cache_up",
        "1 while Redis is in use, 0 while the database is asked instead.";

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

/// How many there are of each request. (`REQUEST.len()` in the type of another constant is a cycle.)
pub const OF_REQUEST: usize = 9;

/// Of each request, by route and method: counted outside the recorder, by `budget_histograms`.
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
        "Time one request waited for a pooled connection, on SQLite for its turn to write too, summed over \
         its queries.",
        SHORT_SECONDS,
    ),
    Family::seconds(
        "chokepoint_request_queue_wait_seconds",
        "Time one /api/v1 request waited for one of the threads that such requests hold.",
        REQUEST_SECONDS,
    ),
];

/// The recorder can't hold what a runtime counts itself: `runtime` renders it.
pub const RUNTIME_POLL: Family = Family::seconds(
    "chokepoint_runtime_poll_seconds",
    "Time of single polls of any task, by runtime. The sum is the workers' busy time.",
    // tokio has buckets of its own.
    &[],
);
