//! Metrics of the product and of the ports that serve it: name with unit, help text, buckets.

use observe::{
    buckets::{COUNTS, REQUEST_SECONDS, SHORT_SECONDS},
    metrics::Kind::{Counter, Gauge, Histogram},
};

observe::define_metrics! {
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
        "Request sampler that the HTTP library refused before there was a request (400, 414, 431), \
         by port and reason.";

    // The ops port.
    OPS_REFUSED: Counter, "chokepoint_ops_refused_total",
        "Requests to ops that were refused, by reason: a host that it is not called by, or a page \
         of another origin.";
}
