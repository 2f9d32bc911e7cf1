//! Cost of a finished request: its numbers, and their public names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The status of a request whose client went away before the answer, as nginx logs it.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Cost of one poll.
#[derive(Debug)]
pub struct PollCost {
    pub wall: Duration,
    pub cpu: Duration,
    pub switches: u64,
}

/// Cost of one finished request, in nanoseconds and counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub elapsed_ns: u64,
    pub polls: u64,
    pub longest_poll_ns: u64,
    pub busy_ns: u64,
    pub cpu_ns: u64,
    pub switches: u64,
    pub queries: u64,
    pub rows: u64,
    pub commits: u64,
    pub db_ns: u64,
    pub pool_wait_ns: u64,
    pub queue_wait_ns: u64,
    pub cache_hits: u64,
    pub cache_misses: u64,
    pub bytes: u64,
}

/// Number of the cost by its public name, as in lab.json and `/labs/{id}/measurements`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Milliseconds from the request's arrival at the router to the answer.
    ElapsedMs,
    /// Number of polls.
    Polls,
    /// Milliseconds of the longest poll.
    LongestPollMs,
    /// Milliseconds it held a worker thread: wall time inside polls.
    BusyMs,
    /// Milliseconds of CPU inside polls (Linux).
    CpuMs,
    /// Milliseconds it held a worker without using a core: busy − cpu (Linux).
    OffCpuMs,
    /// Off-CPU time as a share of the elapsed time, 0 to 1 (Linux).
    BlockedShare,
    /// Voluntary context switches inside polls: the worker gave up its core (Linux).
    Switches,
    /// Statements sent to the database.
    Queries,
    /// Rows that the database returned.
    Rows,
    /// Transactions committed.
    Commits,
    /// Milliseconds waited for the database, pool and commits included, summed over the statements.
    DbMs,
    /// Milliseconds of `DbMs` before a connection was ready, on SQLite for the write lock too.
    PoolWaitMs,
    /// Milliseconds waited for a thread of the thread-per-request pool (v1).
    QueueWaitMs,
    CacheHits,
    CacheMisses,
    /// Bytes of the answer's body; 0 if its size is not known in advance.
    Bytes,
}

impl Counter {
    pub const ALL: [Counter; 17] = [
        Counter::ElapsedMs,
        Counter::Polls,
        Counter::LongestPollMs,
        Counter::BusyMs,
        Counter::CpuMs,
        Counter::OffCpuMs,
        Counter::BlockedShare,
        Counter::Switches,
        Counter::Queries,
        Counter::Rows,
        Counter::Commits,
        Counter::DbMs,
        Counter::PoolWaitMs,
        Counter::QueueWaitMs,
        Counter::CacheHits,
        Counter::CacheMisses,
        Counter::Bytes,
    ];

    /// True if this system can measure it: thread usage is read on Linux only.
    pub fn is_measured(self) -> bool {
        use Counter::{BlockedShare, CpuMs, OffCpuMs, Switches};
        cfg!(target_os = "linux") || !matches!(self, CpuMs | OffCpuMs | BlockedShare | Switches)
    }
}

impl Cost {
    /// Wall time inside polls that was not CPU time, in nanoseconds.
    pub fn off_cpu_ns(&self) -> u64 {
        self.busy_ns.saturating_sub(self.cpu_ns)
    }

    pub fn get(&self, counter: Counter) -> f64 {
        match counter {
            Counter::ElapsedMs => millis(self.elapsed_ns),
            Counter::Polls => self.polls as f64,
            Counter::LongestPollMs => millis(self.longest_poll_ns),
            Counter::BusyMs => millis(self.busy_ns),
            Counter::CpuMs => millis(self.cpu_ns),
            Counter::OffCpuMs => millis(self.off_cpu_ns()),
            Counter::BlockedShare => self.off_cpu_ns() as f64 / self.elapsed_ns.max(1) as f64,
            Counter::Switches => self.switches as f64,
            Counter::Queries => self.queries as f64,
            Counter::Rows => self.rows as f64,
            Counter::Commits => self.commits as f64,
            Counter::DbMs => millis(self.db_ns),
            Counter::PoolWaitMs => millis(self.pool_wait_ns),
            Counter::QueueWaitMs => millis(self.queue_wait_ns),
            Counter::CacheHits => self.cache_hits as f64,
            Counter::CacheMisses => self.cache_misses as f64,
            Counter::Bytes => self.bytes as f64,
        }
    }
}

fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}
