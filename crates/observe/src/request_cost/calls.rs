//! Calls of a request that are under way, and the most of them at once.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{RequestCost, current, with};
use crate::cost::Counter;

/// Kind of call that is counted while it is under way.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Query,
    Upstream,
    Blocking,
    /// A connection to the database, from when the request has it until it is given back.
    Connection,
}

impl Call {
    pub(super) const ALL: [Self; 4] =
        [Self::Query, Self::Upstream, Self::Blocking, Self::Connection];

    fn most_at_once(self) -> Option<Counter> {
        match self {
            Self::Query => Some(Counter::QueriesInFlight),
            Self::Upstream => Some(Counter::UpstreamInFlight),
            Self::Blocking => Some(Counter::BlockingInFlight),
            Self::Connection => None,
        }
    }
}

/// Marks a call of the request as under way until the guard is dropped.
pub fn call(call: Call) -> CallGuard {
    let request_cost = current();
    if let Some(request_cost) = &request_cost {
        let at_once = request_cost.in_flight[call as usize].fetch_add(1, Relaxed) + 1;
        if let Some(most) = call.most_at_once() {
            request_cost.put(most, at_once);
        }
    }
    CallGuard { request_cost, call }
}

/// Calls of this kind that the request of this thread has under way; 0 without a request.
pub fn under_way(call: Call) -> u64 {
    let mut under_way = 0;
    with(|request_cost| under_way = request_cost.in_flight[call as usize].load(Relaxed));
    under_way
}

/// Call under way.
pub struct CallGuard {
    request_cost: Option<Arc<RequestCost>>,
    call: Call,
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if let Some(request_cost) = &self.request_cost {
            request_cost.in_flight[self.call as usize].fetch_sub(1, Relaxed);
        }
    }
}
