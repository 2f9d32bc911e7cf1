//! The connections of one port: their maximum number, and an end for each that overstays.
//!
//! A check four times a second wakes the connections that exceed a limit; each then ends itself. It
//! runs on the ops runtime, because all workers of the app may be blocked.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
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
use metrics::{counter, gauge};
use tokio::sync::Notify;

use observe::millis::MillisClock;
use product::metrics as names;

/// One connection, and its timeouts.
mod connection;
/// Counts requests and answers of a connection.
mod service;
/// Observes the bytes of a connection.
mod socket;

pub use connection::{Connection, Reason};
pub use service::Service;
pub use socket::Socket;

/// Interval of the check, so the precision of timeouts.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Share of a full port (1 in 32) that is closed at once; else each new connection would scan all.
const MAKE_ROOM: usize = 32;
/// Wait for room on a full port, whose connections may be about to end.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

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

/// Reason to refuse a connection.
#[derive(Clone, Copy)]
pub enum Refusal {
    Full,
    Address,
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

    /// Admits a connection. On a full port it closes idle ones first.
    pub async fn admit(self: &Arc<Self>, peer: SocketAddr) -> Result<Admitted, Refusal> {
        let deadline = tokio::time::Instant::now() + ROOM_WITHIN;
        loop {
            let ended = self.has_ended.notified();
            if self.open().by_id.len() < self.limits.most {
                break;
            }
            if !self.make_room() || tokio::time::timeout_at(deadline, ended).await.is_err() {
                return Err(self.refused(Refusal::Full));
            }
        }
        let counted_as = self.counted_as(peer.ip());
        let mut open = self.open();
        if let (Some(address), Some(most)) = (counted_as, self.limits.per_address) {
            let count = open.by_address.entry(address).or_default();
            if *count >= most {
                return Err(self.refused(Refusal::Address));
            }
            *count += 1;
        }
        let id = open.next;
        open.next += 1;
        let connection = Arc::new(Connection::new(self.clone(), peer));
        open.by_id.insert(id, connection.clone());
        gauge!(names::CONNECTIONS, "port" => self.name).set(open.by_id.len() as f64);
        Ok(Admitted { connection, id, counted_as })
    }

    fn refused(&self, refusal: Refusal) -> Refusal {
        let reason = match refusal {
            Refusal::Full => "full",
            Refusal::Address => "address",
        };
        counter!(names::CONNECTIONS_REFUSED, "port" => self.name, "reason" => reason).increment(1);
        refusal
    }

    /// Asks the connections that are idle for longest to end. False if none is idle.
    fn make_room(&self) -> bool {
        let open = self.open();
        let mut idle: Vec<_> = open.by_id.values().filter(|c| c.is_idle()).collect();
        idle.sort_unstable_by_key(|connection| connection.idle_since());
        idle.truncate(self.limits.most.div_ceil(MAKE_ROOM));
        for connection in &idle {
            connection.make_room();
        }
        !idle.is_empty()
    }

    /// Network that this connection counts for; none if it is exempt.
    fn counted_as(&self, address: IpAddr) -> Option<[u8; 16]> {
        let address = address.to_canonical();
        let is_spared = address.is_loopback() && self.limits.spares_loopback
            || self.limits.spared.iter().any(|network| network.contains(&address));
        (!is_spared).then(|| product::edge::network(address))
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

/// An admitted connection. It counts until this is dropped.
pub struct Admitted {
    pub connection: Arc<Connection>,
    id: u64,
    counted_as: Option<[u8; 16]>,
}

impl Admitted {
    /// Counts a connection that the server ended, by reason.
    pub fn closed(&self, reason: Reason) {
        let port = &self.connection.port;
        counter!(names::CONNECTIONS_CLOSED, "port" => port.name, "reason" => reason.name())
            .increment(1);
        // `stop` has already counted those that it cut off.
        if port.is_stopping() && !matches!(reason, Reason::Over | Reason::Left) {
            port.cut_off.fetch_add(self.connection.requests_to_answer(), SeqCst);
        }
        if matches!(reason, Reason::Write | Reason::Over) {
            self.connection.reset();
        }
    }

    /// Counts a connection that did not send HTTP.
    pub fn malformed(&self, kind: &'static str) {
        let port = self.connection.port.name;
        counter!(names::MALFORMED_HEADS, "port" => port, "reason" => kind).increment(1);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let port = &self.connection.port;
        let mut open = port.open();
        open.by_id.remove(&self.id);
        if let Some(address) = self.counted_as
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        gauge!(names::CONNECTIONS, "port" => port.name).set(open.by_id.len() as f64);
        drop(open);
        port.has_ended.notify_waiters();
    }
}
