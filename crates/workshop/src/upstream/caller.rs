//! State of a caller at the upstream: the faults that it asked for, and what the service counted.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use metrics::{Counter, Gauge, counter, gauge};

use super::{
    faults::{Fate, Faults},
    visits::Visits,
};
use crate::metrics::{UPSTREAM_CONNECTIONS, UPSTREAM_IN_FLIGHT, UPSTREAM_MAILS, UPSTREAM_REQUESTS};

/// Caller of the service: one variant of one lab.
pub struct Caller {
    run: Mutex<Run>,
    requests: AtomicU64,
    refused: AtomicU64,
    connections: AtomicU64,
    in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    mails: AtomicU64,
    labels: [(&'static str, String); 2],
    /// Made at the first request: most variants call nobody.
    series: OnceLock<Series>,
}

/// Faults of a run, and how many of its requests have their fate.
#[derive(Default)]
struct Run {
    faults: Faults,
    number: u64,
    visits: Visits,
    /// Number of the run itself.
    id: u64,
    /// Open connections on which requests of this run came.
    open: u64,
}

/// Place of a connection in a run.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    run: u64,
    pub is_admitted: bool,
}

struct Series {
    requests: Counter,
    connections: Counter,
    in_flight: Gauge,
    mails: Counter,
}

/// Counts of a caller, as the service saw them: since its start, or since the last `begin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub requests: u64,
    /// Requests refused because their connection was one too many.
    pub refused: u64,
    /// Connections on which requests came.
    pub connections: u64,
    /// Most requests at once.
    pub most_in_flight: u64,
    pub mails: u64,
}

impl Caller {
    pub fn new(lab: &str, variant: &str) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            run: Mutex::default(),
            requests: zero(),
            refused: zero(),
            connections: zero(),
            in_flight: zero(),
            most_in_flight: zero(),
            mails: zero(),
            labels: [("lab", lab.to_owned()), ("variant", variant.to_owned())],
            series: OnceLock::new(),
        }
    }

    fn series(&self) -> &Series {
        self.series.get_or_init(|| Series {
            requests: counter!(UPSTREAM_REQUESTS, &self.labels),
            connections: counter!(UPSTREAM_CONNECTIONS, &self.labels),
            in_flight: gauge!(UPSTREAM_IN_FLIGHT, &self.labels),
            mails: counter!(UPSTREAM_MAILS, &self.labels),
        })
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run: numbers requests and visits from 0 and counts from 0. Metrics go on.
    pub fn begin(&self, faults: Faults) {
        let mut run = self.run();
        // A connection of the run before is open, but takes no place in this one.
        *run = Run { faults, id: run.id + 1, ..Run::default() };
        for count in
            [&self.requests, &self.refused, &self.connections, &self.most_in_flight, &self.mails]
        {
            count.store(0, Relaxed);
        }
    }

    /// Faults of the run, and the fate of its next request.
    pub fn next(&self, request_id: Option<&str>) -> (Faults, Fate) {
        let mut run = self.run();
        let call = run.visits.call(request_id);
        let (faults, fate) = (run.faults, run.faults.fate_in(call, run.number));
        run.number += 1;
        (faults, fate)
    }

    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Relaxed),
            refused: self.refused.load(Relaxed),
            connections: self.connections.load(Relaxed),
            most_in_flight: self.most_in_flight.load(Relaxed),
            mails: self.mails.load(Relaxed),
        }
    }

    /// Counts a request, which is in flight until the guard is dropped.
    pub fn arrived(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Relaxed);
        self.series().requests.increment(1);
        let at_once = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.most_in_flight.fetch_max(at_once, Relaxed);
        self.series().in_flight.increment(1.0);
        InFlight(self.clone())
    }

    pub fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub fn mailed(&self) {
        self.mails.fetch_add(1, Relaxed);
        self.series().mails.increment(1);
    }

    /// Counts a connection in the run, admitted if the run allows as many. One that a run before
    /// has opened is not new.
    pub fn connected(&self, is_new: bool) -> Admission {
        self.connections.fetch_add(1, Relaxed);
        if is_new {
            self.series().connections.increment(1);
        }
        let mut run = self.run();
        run.open += 1;
        let is_admitted = run.faults.connections.is_none_or(|most| run.open <= most);
        Admission { run: run.id, is_admitted }
    }

    /// True if the admission is one of the run that goes on.
    pub fn knows(&self, admission: Admission) -> bool {
        self.run().id == admission.run
    }

    pub fn disconnected(&self, admission: Admission) {
        let mut run = self.run();
        if run.id == admission.run {
            run.open -= 1;
        }
    }
}

/// Request in flight.
pub struct InFlight(Arc<Caller>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
        self.0.series().in_flight.decrement(1.0);
    }
}
