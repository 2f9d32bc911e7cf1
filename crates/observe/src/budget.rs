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

use super::{
    blocked::BLOCKED_FROM,
    cost::Cost,
    poll_meter::{PollMeter, thread_parks},
    request_id::Ids,
    route_metrics::Route,
};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Budget>>> = const { RefCell::new(None) };
}

/// The record of one request. Counters only grow; `cost` reads them all.
pub struct Budget {
    pub ids: Ids,
    /// Where long polls are told; requests that are not measured by route have none.
    route: Option<Arc<Route>>,
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
    queue_wait_ns: AtomicU64,
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
    pub fn new(ids: Ids, route: Option<Arc<Route>>, started: Instant) -> Arc<Self> {
        Arc::new(Self {
            ids,
            route,
            started,
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
            queue_wait_ns: AtomicU64::new(0),
            cache_hits: AtomicU64::new(0),
            cache_misses: AtomicU64::new(0),
        })
    }

    pub fn route(&self) -> Option<&Route> {
        self.route.as_deref()
    }

    pub fn started(&self) -> Instant {
        self.started
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

    /// Waited for one of the threads that v1 requests hold.
    pub fn add_queue_wait(&self, waited: Duration) {
        self.queue_wait_ns.fetch_add(nanos(waited), Relaxed);
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
            queue_wait_ns: self.queue_wait_ns.load(Relaxed),
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

/// The record of the request that runs on this thread, for a task that works for it.
pub fn current() -> Option<Arc<Budget>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs `f` on a thread that the request holds until `f` returns, as a synchronous server would.
///
/// All of it is one poll: a thread that only waits meanwhile is held all the same, and that it gave
/// its core up shows as switches.
pub fn hold<T>(budget: &Arc<Budget>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(budget);
    // The wait for this request isn't the request's doing.
    thread_parks();
    let meter = PollMeter::start();
    let result = f();
    budget.add_poll(&meter.stop());
    result
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

/// Runs `f` where `with` finds the record, unmetered.
pub fn within<T>(budget: &Arc<Budget>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(budget);
    f()
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
        let poll = meter.stop();
        this.budget.add_poll(&poll);
        drop(entered);
        if poll.wall >= BLOCKED_FROM
            && let Some(route) = &this.budget.route
        {
            route.blocked(&poll, &this.budget.ids);
        }
        result
    }
}
