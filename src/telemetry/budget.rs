//! What one request costs: a record that travels with the request and is added to wherever it runs.
//!
//! `Measured` puts the record where `with` finds it for the time of each poll, and meters the poll.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{poll_meter::PollMeter, request_id::Ids};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Budget>>> = const { RefCell::new(None) };
}

/// The record of one request. Counters only grow; `cost` reads them all.
pub struct Budget {
    pub ids: Ids,
    started: Instant,
    polls: AtomicU64,
    longest_poll_ns: AtomicU64,
    busy_ns: AtomicU64,
    cpu_ns: AtomicU64,
    switches: AtomicU64,
    queries: AtomicU64,
    rows: AtomicU64,
    commits: AtomicU64,
    db_ns: AtomicU64,
    pool_wait_ns: AtomicU64,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

/// What `Measured` learned from one poll.
#[derive(Debug)]
pub struct PollCost {
    pub wall: Duration,
    pub cpu: Duration,
    pub switches: u64,
}

impl Budget {
    pub fn new(ids: Ids) -> Arc<Self> {
        Arc::new(Self {
            ids,
            started: Instant::now(),
            polls: AtomicU64::new(0),
            longest_poll_ns: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            cpu_ns: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            queries: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            db_ns: AtomicU64::new(0),
            pool_wait_ns: AtomicU64::new(0),
            cache_hits: AtomicU64::new(0),
            cache_misses: AtomicU64::new(0),
        })
    }

    fn add_poll(&self, poll: &PollCost) {
        let wall = nanos(poll.wall);
        self.polls.fetch_add(1, Relaxed);
        self.busy_ns.fetch_add(wall, Relaxed);
        self.cpu_ns.fetch_add(nanos(poll.cpu), Relaxed);
        self.switches.fetch_add(poll.switches, Relaxed);
        self.longest_poll_ns.fetch_max(wall, Relaxed);
    }

    /// One statement sent to the database, and the rows it returned.
    pub fn add_query(&self, rows: u64) {
        self.queries.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows, Relaxed);
    }

    pub fn add_db_time(&self, waited: Duration) {
        self.db_ns.fetch_add(nanos(waited), Relaxed);
    }

    pub fn add_pool_wait(&self, waited: Duration) {
        self.pool_wait_ns.fetch_add(nanos(waited), Relaxed);
    }

    pub fn add_commit(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    pub fn add_cache_hit(&self) {
        self.cache_hits.fetch_add(1, Relaxed);
    }

    pub fn add_cache_miss(&self) {
        self.cache_misses.fetch_add(1, Relaxed);
    }

    /// Everything spent so far, with the size of the answer, which only the caller knows.
    pub fn cost(&self, bytes: u64) -> Cost {
        Cost {
            elapsed_ns: nanos(self.started.elapsed()),
            polls: self.polls.load(Relaxed),
            longest_poll_ns: self.longest_poll_ns.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
            cpu_ns: self.cpu_ns.load(Relaxed),
            switches: self.switches.load(Relaxed),
            queries: self.queries.load(Relaxed),
            rows: self.rows.load(Relaxed),
            commits: self.commits.load(Relaxed),
            db_ns: self.db_ns.load(Relaxed),
            pool_wait_ns: self.pool_wait_ns.load(Relaxed),
            cache_hits: self.cache_hits.load(Relaxed),
            cache_misses: self.cache_misses.load(Relaxed),
            bytes,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Calls `f` with the record of the request that runs on this thread, if one does.
pub fn with(f: impl FnOnce(&Budget)) {
    CURRENT.with_borrow(|current| {
        if let Some(budget) = current {
            f(budget);
        }
    });
}

/// The finished record of one request, in nanoseconds and counts.
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
    pub cache_hits: u64,
    pub cache_misses: u64,
    pub bytes: u64,
}

/// A number of the record by its public name, as in lab.json and `/labs/{id}/measurements`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Milliseconds from the first poll's start to the answer.
    ElapsedMs,
    /// How often the request was polled.
    Polls,
    /// Milliseconds of its longest poll.
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
    /// Rows that came back.
    Rows,
    /// Transactions committed.
    Commits,
    /// Milliseconds waited for the database, pool and commits included, summed over the statements.
    DbMs,
    /// Milliseconds of that spent before a pooled connection was at hand.
    PoolWaitMs,
    CacheHits,
    CacheMisses,
    /// Size of the answer's body.
    Bytes,
}

impl Counter {
    pub const ALL: [Counter; 16] = [
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
        Counter::CacheHits,
        Counter::CacheMisses,
        Counter::Bytes,
    ];

    /// Whether this machine can measure it: thread usage is read on Linux only.
    pub fn is_measured(self) -> bool {
        use Counter::{BlockedShare, CpuMs, OffCpuMs, Switches};
        cfg!(target_os = "linux") || !matches!(self, CpuMs | OffCpuMs | BlockedShare | Switches)
    }
}

impl Cost {
    /// Wall time inside polls that was not CPU time.
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
            Counter::CacheHits => self.cache_hits as f64,
            Counter::CacheMisses => self.cache_misses as f64,
            Counter::Bytes => self.bytes as f64,
        }
    }
}

fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

pin_project_lite::pin_project! {
    /// A future whose polls are metered into a record, which `with` sees meanwhile.
    pub struct Measured<F> {
        #[pin]
        inner: F,
        budget: Arc<Budget>,
    }
}

impl<F> Measured<F> {
    pub fn new(budget: Arc<Budget>, inner: F) -> Self {
        Self { inner, budget }
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

/// Puts a record in place for a scope, and the former one back, also when a panic passes through.
struct Entered(Option<Arc<Budget>>);

impl Entered {
    fn new(budget: &Arc<Budget>) -> Self {
        Self(CURRENT.replace(Some(budget.clone())))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let entered = Entered::new(this.budget);
        let meter = PollMeter::start();
        let result = this.inner.poll(cx);
        this.budget.add_poll(&meter.stop());
        drop(entered);
        result
    }
}
