//! Table of the cost counters, one row each. From it come the record of a request, its names in
//! JSON, its histograms, the attributes of its span, its access line, `Server-Timing`, and the lists
//! of k6, Grafana and the docs. A new counter is a row here, and the place where it is counted.

use super::row::{Names, Row};
use crate::buckets::{BYTES, COUNTS, REQUEST_SECONDS, SHORT_SECONDS};

/// Defines `Counter` from the rows: counter, unit, name, meaning, and then the properties in which
/// it differs from a plain sum that has no histogram and no place in `Server-Timing`.
macro_rules! counters {
    ($($counter:ident: $unit:ident $name:literal, $help:literal $(.$property:ident($($value:expr),*))*;)*) => {
        /// Counter of a request's cost.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            $(#[doc = $help] $counter,)*
            /// Counter of the program itself, such as a lab's, by its number in the registry.
            Own(u8),
        }

        enum Index { $($counter),* }

        impl Counter {
            /// Counters of this table, in its order.
            pub const ALL: &[Counter] = &[$(Counter::$counter),*];

            pub(super) const ROWS: &[Row] =
                &[$(Row::$unit(names!($unit $name), $help)$(.$property($($value),*))*),*];

            /// Place in the table; None for a counter of the program.
            #[inline]
            pub(super) fn index(self) -> Option<usize> {
                match self {
                    $(Counter::$counter => Some(Index::$counter as usize),)*
                    Counter::Own(_) => None,
                }
            }
        }
    };
}

/// Names of a counter by its unit: times are milliseconds in JSON and seconds in metrics.
macro_rules! names {
    (time $name:literal) => { names!(of $name, concat!($name, "_ms"), concat!($name, "_seconds")) };
    ($unit:ident $name:literal) => { names!(of $name, $name, $name) };
    (of $name:literal, $json:expr, $metric:expr) => {
        Names {
            trend: $name,
            json: $json,
            metric: concat!("chokepoint_request_", $metric),
            attribute: concat!("chokepoint.", $json),
        }
    };
}

counters! {
    // The request itself.
    ElapsedMs: time "elapsed", "Time from the request's arrival at the router to the end of its answer."
        .timing("total").always().at_end();
    Bytes: count "bytes", "Bytes of the answer's body, compressed if it is.".always();

    // The threads that run it.
    BusyMs: time "busy", "Wall time inside polls: how long the request held a worker thread."
        .timing("busy").always().histogram(REQUEST_SECONDS);
    CpuMs: time "cpu", "CPU time inside polls and in closures on the blocking pool."
        .timing("cpu").always().linux();
    OffCpuMs: time "off_cpu", "Wall time inside polls that was not CPU time."
        .timing("off-cpu").always().linux().histogram(REQUEST_SECONDS);
    BlockedShare: share "blocked_share", "Off-CPU time as a share of the elapsed time, 0 to 1."
        .linux().at_end();
    Switches: count "switches", "Voluntary context switches inside polls and in closures on the \
         blocking pool: the thread gave up its core, which is what blocking is."
        .described("switches", "switches").always().linux().histogram(COUNTS);
    LongestPollMs: time "longest_poll", "The longest poll."
        .timing("poll").always().greatest().histogram(SHORT_SECONDS);
    Polls: count "polls", "Number of polls.".described("poll", "polls, longest").always();
    QueueWaitMs: time "queue_wait", "Time waited for a thread of the thread-per-request pool (v1)."
        .timing("queue-wait").histogram(REQUEST_SECONDS);
    BlockingWaitMs: time "blocking_wait", "Time that closures waited for a thread of the blocking pool."
        .timing("blocking-wait").histogram(SHORT_SECONDS);
    BlockingCalls: count "blocking_calls", "Closures handed to the blocking pool."
        .described("blocking", "calls");
    BlockingInFlight: count "blocking_in_flight", "Most closures on the blocking pool, or waiting for it, at once."
        .greatest();
    Tasks: count "tasks", "Tasks spawned.".described("tasks", "tasks");
    LockWaitMs: time "lock_wait", "Time waited for locks: the write lock of SQLite, a load that others wait for."
        .timing("lock-wait").histogram(SHORT_SECONDS);
    AllocatedBytes: count "allocated_bytes", "Bytes allocated inside polls and in closures on the blocking pool, \
         freed or not."
        .described("allocated", "bytes").linux().histogram(BYTES);

    // The database.
    DbMs: time "db", "Time waited for the database, pool and commits included, summed over the statements."
        .timing("db").always().histogram(REQUEST_SECONDS);
    Queries: count "queries", "Statements sent to the database."
        .described("db", "queries").always().histogram(COUNTS);
    NewStatements: count "new_statements", "Statements with a text that the process had not sent before, \
         so that they had to be prepared.".described("new-statements", "new statements");
    QueriesInFlight: count "queries_in_flight", "Most statements under way at once.".greatest();
    Rows: count "rows", "Rows that the database returned."
        .described("rows", "rows").always().histogram(COUNTS);
    Commits: count "commits", "Transactions committed.".described("commits", "commits");
    PoolWaitMs: time "pool_wait", "Time before a connection was ready, on SQLite for the write lock too: part of db."
        .timing("pool-wait").histogram(SHORT_SECONDS);

    // The cache and other services.
    CacheHits: count "cache_hits", "Look-ups that the cache answered.".described("cache-hits", "hits");
    CacheMisses: count "cache_misses", "Look-ups that it could not answer."
        .described("cache-misses", "misses");
    RedisCommands: count "redis_commands", "Commands sent to Redis.".described("redis", "commands");
    UpstreamMs: time "upstream", "Time waited for other services, summed over the calls."
        .timing("upstream").histogram(REQUEST_SECONDS);
    UpstreamCalls: count "upstream_calls", "Calls to other services.".described("upstream", "calls");
    UpstreamInFlight: count "upstream_in_flight", "Most such calls under way at once.".greatest();
    UpstreamConnections: count "upstream_connections", "Connections opened for such calls."
        .described("connections", "connections");

    // Passwords and the log.
    Hashes: count "hashes", "Passwords hashed.".described("hashes", "hashes");
    LogLines: count "log_lines", "Lines logged, without the access line.".described("log", "lines");
    LogBytes: count "log_bytes", "Bytes of these lines.";
}
