//! The connections of one port: their limits, and an end for each that overstays.
//!
//! A check four times a second wakes the connections that exceed a limit; each then ends itself. It
//! runs on the ops runtime, because all workers of the app may be blocked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU8, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use ipnet::IpNet;
use metrics::gauge;
use tokio::sync::Notify;

use observe::millis::MillisClock;
use product::metrics as names;

/// Admission of connections, and their end.
mod admission;
/// One connection, and its timeouts.
mod connection;
/// Counts requests and answers of a connection.
mod service;
/// Observes the bytes of a connection.
mod socket;

pub use admission::{Admitted, Refusal};
pub use connection::{Connection, Reason};
pub use service::Service;
pub use socket::Socket;

/// Interval of the check, so the precision of timeouts.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Limits of a port.
pub struct Limits {
    pub most: usize,
    pub per_address: Option<usize>,
    pub spares_loopback: bool,
    /// Proxies, which are exempt because many clients are behind each.
    pub spared: Vec<IpNet>,
    pub head: Duration,
    pub idle: Duration,
    pub write: Duration,
    /// Wait for the answer after the client closed its side: it may still read, or be gone.
    pub left: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
enum Phase {
    Open,
    /// Requests that have arrived may finish.
    Stopping,
    /// Every connection is closed.
    Over,
}

pub struct Port {
    name: &'static str,
    limits: Limits,
    /// True during shutdown: each answer is then the last one of its connection.
    leaving: Arc<AtomicBool>,
    phase: AtomicU8,
    clock: MillisClock,
    /// Time of the last check, so that nothing else reads the clock.
    now: AtomicU64,
    open: Mutex<Open>,
    has_ended: Notify,
    /// Requests that had arrived completely, but whose answers were cut off.
    cut_off: AtomicU64,
}

#[derive(Default)]
struct Open {
    next: u64,
    by_id: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<[u8; 16], usize>,
}

impl Port {
    pub fn new(name: &'static str, limits: Limits, leaving: Arc<AtomicBool>) -> Arc<Self> {
        gauge!(names::CONNECTIONS_LIMIT, "port" => name).set(limits.most as f64);
        gauge!(names::CONNECTIONS, "port" => name).set(0.0);
        let clock = MillisClock::start();
        Arc::new(Self {
            name,
            limits,
            leaving,
            phase: AtomicU8::new(Phase::Open as u8),
            now: AtomicU64::new(clock.now()),
            clock,
            open: Mutex::default(),
            has_ended: Notify::new(),
            cut_off: AtomicU64::new(0),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // A panic can't leave it half changed, so a poisoned lock is still good.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.now.load(Relaxed)
    }

    fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    fn is_at_least(&self, phase: Phase) -> bool {
        self.phase.load(SeqCst) >= phase as u8
    }

    pub fn is_stopping(&self) -> bool {
        self.is_at_least(Phase::Stopping)
    }

    pub async fn look_around_for_ever(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.look_around();
        }
    }

    fn look_around(&self) {
        let now = self.clock.now();
        self.now.store(now, Relaxed);
        let is_stopping = self.is_stopping();
        for connection in self.open().by_id.values() {
            let has_news = connection.overstays(now).is_some() || connection.broke_off(now);
            if is_stopping || has_news {
                connection.look_at_yourself();
            }
        }
    }

    /// Closes idle connections at once, and lets requests finish. True if all did.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.leaving.store(true, SeqCst);
        self.phase.store(Phase::Stopping as u8, SeqCst);
        if !self.all_ended(patience).await {
            let cut_off: u64 =
                self.open().by_id.values().map(|connection| connection.requests_to_answer()).sum();
            self.cut_off.fetch_add(cut_off, SeqCst);
            self.phase.store(Phase::Over as u8, SeqCst);
            self.all_ended(LOOK_EVERY).await;
        }
        self.cut_off.load(SeqCst) == 0
    }

    async fn all_ended(&self, patience: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let ended = self.has_ended.notified();
            self.look_around();
            if self.open().by_id.is_empty() {
                return true;
            }
            let now = tokio::time::Instant::now();
            if now >= deadline {
                return false;
            }
            // Soon, because a client may overstay from now on.
            let next_look = deadline.min(now + LOOK_EVERY / 10);
            let _ = tokio::time::timeout_at(next_look, ended).await;
        }
    }
}
