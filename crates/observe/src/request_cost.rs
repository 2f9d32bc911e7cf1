//! Cost of one request: counters that travel with it and are updated wherever it runs.
//!
//! `Measured` makes the counters available to `with` during each poll, and meters the poll.

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
    cost::{Cost, PollCost},
    poll_meter::{PollMeter, thread_parks},
    request_id::Ids,
    route_metrics::Route,
};

thread_local! {
    static CURRENT: RefCell<Option<Arc<RequestCost>>> = const { RefCell::new(None) };
}

/// Counters of one request. They only grow; `cost` reads them all.
pub struct RequestCost {
    pub ids: Ids,
    /// Route that long polls are reported to; None if the request is not counted by route.
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

impl RequestCost {
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

    /// Counts one statement sent to the database, and the rows it returned.
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

    /// Adds time waited for a thread of the thread-per-request pool (v1).
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

    /// Returns the cost so far. `bytes` is the size of the answer, which only the caller knows.
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

/// Calls `f` with the counters of the request that runs on this thread, if there is one.
pub fn with(f: impl FnOnce(&RequestCost)) {
    CURRENT.with_borrow(|current| {
        if let Some(request_cost) = current {
            f(request_cost);
        }
    });
}

/// Counters of the request that runs on this thread, for a task that works for it.
pub fn current() -> Option<Arc<RequestCost>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs `f` on the calling thread as one poll of the request, as a thread-per-request server does.
///
/// A thread that waits inside `f` is still held, and the wait shows as context switches.
pub fn hold<T>(request_cost: &Arc<RequestCost>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(request_cost);
    // The thread waited for this request before; that wait is not part of the cost.
    thread_parks();
    let meter = PollMeter::start();
    let result = f();
    request_cost.add_poll(&meter.stop());
    result
}

pin_project_lite::pin_project! {
    /// Future whose polls are metered into the counters, which `with` sees meanwhile.
    pub struct Measured<F> {
        #[pin]
        inner: F,
        request_cost: Arc<RequestCost>,
    }
}

impl<F> Measured<F> {
    pub fn new(request_cost: Arc<RequestCost>, inner: F) -> Self {
        Self { inner, request_cost }
    }

    pub fn request_cost(&self) -> &Arc<RequestCost> {
        &self.request_cost
    }
}

/// Runs `f` so that `with` finds the counters, without metering it.
pub fn within<T>(request_cost: &Arc<RequestCost>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(request_cost);
    f()
}

/// Sets the counters of a scope and restores the former ones on drop, even after a panic.
struct Entered(Option<Arc<RequestCost>>);

impl Entered {
    fn new(request_cost: &Arc<RequestCost>) -> Self {
        Self(CURRENT.replace(Some(request_cost.clone())))
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
        let entered = Entered::new(this.request_cost);
        let meter = PollMeter::start();
        let result = this.inner.poll(cx);
        let poll = meter.stop();
        this.request_cost.add_poll(&poll);
        drop(entered);
        if poll.wall >= BLOCKED_FROM
            && let Some(route) = &this.request_cost.route
        {
            route.blocked(&poll, &this.request_cost.ids);
        }
        result
    }
}
