//! Timeouts of a connection: which limit applies depends on the side that has to move next.

use std::{
    sync::atomic::Ordering::{Acquire, Relaxed},
    time::Duration,
};

use super::Connection;
use crate::lifecycle::connections::Phase;
use observe::millis::whole_millis;

/// Time within which bytes on the network arrive.
pub(super) const ARRIVES: Duration = Duration::from_millis(500);
/// During shutdown: a client that reads nothing for this long is given up.
const READS: Duration = Duration::from_secs(5);

/// Reason for the server to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Head,
    Idle,
    Write,
    Left,
    Room,
    Stopping,
    Over,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Write => "write",
            Self::Left => "left",
            Self::Room => "room",
            Self::Stopping => "stopping",
            Self::Over => "shutdown",
        }
    }

    /// True if no request is lost by it. An HTTP/2 client can then get a GOAWAY.
    pub fn is_of_idle(self) -> bool {
        matches!(self, Self::Idle | Self::Room | Self::Stopping)
    }
}

impl Connection {
    /// Reason to end this connection now, if there is one.
    pub fn overstays(&self, now: u64) -> Option<Reason> {
        let port = &self.port;
        if port.is_at_least(Phase::Over) {
            return Some(Reason::Over);
        }
        let is_over = |since, limit| is_over(now, since, limit);
        let moved = self.moved.load(Relaxed);
        let is_stopping = port.is_stopping();
        if self.is_unsent() {
            let limit = if is_stopping { READS.min(port.limits.write) } else { port.limits.write };
            return is_over(moved, limit).then_some(Reason::Write);
        }
        if self.requests.load(Acquire) > 0 {
            let left_at = self.left_at.load(Relaxed);
            return (left_at > 0 && is_over(left_at, port.limits.left)).then_some(Reason::Left);
        }
        if self.makes_room.load(Relaxed) {
            return Some(Reason::Room);
        }
        let head_since = self.head_since.load(Relaxed);
        let has_head = head_since > 0 && !self.is_http2();
        if is_stopping {
            let since = if has_head { head_since } else { self.accepted };
            let may_arrive = has_head || !self.has_requested();
            return (!may_arrive || is_over(since, ARRIVES)).then_some(Reason::Stopping);
        }
        if has_head {
            return is_over(head_since, port.limits.head).then_some(Reason::Head);
        }
        is_over(moved, port.limits.idle).then_some(Reason::Idle)
    }
}

pub(super) fn is_over(now: u64, since: u64, limit: Duration) -> bool {
    now.saturating_sub(since) >= whole_millis(limit)
}
