//! Calls of a request that are under way, and the most of them at once.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{RequestCost, current};
use crate::cost::Counter;

/// Kind of call whose greatest number at once is counted.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Query,
    Upstream,
    Blocking,
}

impl Call {
    pub(super) const ALL: [Self; 3] = [Self::Query, Self::Upstream, Self::Blocking];

    fn most_at_once(self) -> Counter {
        match self {
            Self::Query => Counter::QueriesInFlight,
            Self::Upstream => Counter::UpstreamInFlight,
            Self::Blocking => Counter::BlockingInFlight,
        }
    }
}

/// Marks a call of the request as under way until the guard is dropped.
pub fn call(call: Call) -> CallGuard {
    let request_cost = current();
    if let Some(request_cost) = &request_cost {
        let at_once = request_cost.in_flight[call as usize].fetch_add(1, Relaxed) + 1;
        request_cost.put(call.most_at_once(), at_once);
    }
    CallGuard { request_cost, call }
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
