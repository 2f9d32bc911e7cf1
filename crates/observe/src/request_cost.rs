//! Cost of one request: counters that travel with it and are updated wherever it runs.
//!
//! `Measured` makes the counters available during each poll, and meters the poll. What runs outside
//! of a request counts in the totals of the process alone (`totals`).

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    cost::{Cost, Counter, LEN, PollCost, own::OwnCounter, row::AddsUp},
    in_flight::Running,
    request_id::Ids,
    route_metrics::Route,
    totals,
};

/// Calls under way, and the most of them at once.
mod calls;
/// Runs work of a request, and meters it.
mod measured;

pub use calls::{Call, CallGuard, call, under_way};
pub(crate) use measured::metered;
pub use measured::{Measured, hold, within};

thread_local! {
    static CURRENT: RefCell<Option<Arc<RequestCost>>> = const { RefCell::new(None) };
}

/// Counters of one request. They only grow; `cost` reads them all.
pub struct RequestCost {
    pub ids: Ids,
    /// Route that long polls are reported to; None if the request is not counted by route.
    route: Option<Arc<Route>>,
    started: Instant,
    values: [AtomicU64; LEN],
    /// Calls under way, by kind.
    in_flight: [AtomicU64; Call::ALL.len()],
}

impl RequestCost {
    pub fn new(ids: Ids, route: Option<Arc<Route>>, started: Instant) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            ids,
            route,
            started,
            values: std::array::from_fn(|_| zero()),
            in_flight: std::array::from_fn(|_| zero()),
        })
    }

    pub fn route(&self) -> Option<&Route> {
        self.route.as_deref()
    }

    /// Own counters of its route.
    pub fn own_counters(&self) -> &[Counter] {
        self.route().map_or(&[], Route::own_counters)
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    /// Adds to a counter of this request, and of the process.
    pub fn add(&self, counter: Counter, amount: u64) {
        self.put(counter, amount);
        totals::add(counter, amount);
    }

    pub fn add_time(&self, counter: Counter, time: Duration) {
        self.add(counter, nanos(time));
    }

    /// Adds to this request alone.
    pub(crate) fn put(&self, counter: Counter, amount: u64) {
        let (Some(place), Some(row)) = (counter.place(), counter.row()) else { return };
        match row.adds_up {
            AddsUp::Greatest => self.values[place].fetch_max(amount, Relaxed),
            AddsUp::Sum | AddsUp::AtEnd => self.values[place].fetch_add(amount, Relaxed),
        };
    }

    fn add_poll(&self, poll: &PollCost) {
        let wall = nanos(poll.wall);
        self.put(Counter::Polls, 1);
        self.put(Counter::BusyMs, wall);
        self.put(Counter::LongestPollMs, wall);
        self.put(Counter::OffCpuMs, nanos(poll.wall.saturating_sub(poll.cpu)));
        self.add_thread_use(poll);
    }

    /// Adds what a closure used of its thread of the blocking pool. It held no worker.
    pub(crate) fn add_thread_use(&self, used: &PollCost) {
        self.put(Counter::CpuMs, nanos(used.cpu));
        self.put(Counter::Switches, used.switches);
        self.put(Counter::AllocatedBytes, used.allocated);
    }

    fn value(&self, counter: Counter) -> u64 {
        counter.place().map_or(0, |place| self.values[place].load(Relaxed))
    }

    /// Returns the cost so far.
    pub fn cost(&self) -> Cost {
        let mut cost = Cost(self.values.each_ref().map(|value| value.load(Relaxed)));
        let elapsed = nanos(self.started.elapsed());
        let share = u128::from(cost.value(Counter::OffCpuMs)) * 1_000_000_000;
        let share = share / u128::from(elapsed.max(1));
        cost.set(Counter::ElapsedMs, elapsed);
        cost.set(Counter::BlockedShare, u64::try_from(share).unwrap_or(u64::MAX));
        cost
    }
}

impl Running for RequestCost {
    fn started(&self) -> Instant {
        self.started
    }

    fn ids(&self) -> &Ids {
        &self.ids
    }

    fn cost(&self) -> Cost {
        Self::cost(self)
    }
}

impl Drop for RequestCost {
    /// Adds the cost of its polls to the totals: all at once, for a poll may be a microsecond.
    fn drop(&mut self) {
        // One of ops has no route: who reads the totals must not change them.
        for counter in self.route.iter().flat_map(|_| totals::AT_THE_END) {
            totals::add(counter, self.value(counter));
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

/// Adds to the cost of the request that runs on this thread, and of the process.
pub fn add(counter: Counter, amount: u64) {
    with(|request_cost| request_cost.put(counter, amount));
    totals::add(counter, amount);
}

impl OwnCounter {
    /// True if requests of that route have it.
    pub fn is_of(&self, request_cost: &RequestCost) -> bool {
        self.counter().is_some_and(|counter| request_cost.own_counters().contains(&counter))
    }

    /// Adds to the cost of the request that runs on this thread, and of the process.
    pub fn add(&self, amount: u64) {
        self.add_to(current().as_deref(), amount);
    }

    /// Adds to the cost of a request, whichever thread works for it, and of the process. A request of
    /// another route has a counter of its own in that place, and stays as it is.
    pub fn add_to(&self, request_cost: Option<&RequestCost>, amount: u64) {
        let Some(counter) = self.counter() else { return };
        if let Some(request_cost) = request_cost.filter(|request_cost| self.is_of(request_cost)) {
            request_cost.put(counter, amount);
        }
        totals::add(counter, amount);
    }
}

/// Adds a time, which `counter` must be.
pub fn add_time(counter: Counter, time: Duration) {
    add(counter, nanos(time));
}
