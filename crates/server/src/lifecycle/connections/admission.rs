//! Admission to a port: room on a full one, the share of an address, and what an admitted connection
//! counts for until it ends.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use metrics::{counter, gauge};
use tokio::time::{Instant, timeout_at};

use super::{Connection, Port, Reason};
use product::metrics as names;

/// Share of a full port (1 in 32) that is closed at once; else each new connection would scan all.
const MAKE_ROOM: usize = 32;

/// Wait for room on a full port, whose connections may be about to end.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

/// Reason to refuse a connection.
#[derive(Clone, Copy)]
pub enum Refusal {
    Full,
    Address,
}

impl Port {
    /// Admits a connection. On a full port it closes idle ones first.
    pub async fn admit(self: &Arc<Self>, peer: SocketAddr) -> Result<Admitted, Refusal> {
        let deadline = Instant::now() + ROOM_WITHIN;
        loop {
            let ended = self.has_ended.notified();
            if self.open().by_id.len() < self.limits.most {
                break;
            }
            if !self.make_room() || timeout_at(deadline, ended).await.is_err() {
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
