//! Calls to other services, counted on the request that makes them.

use std::{future::Future, time::Instant};

use crate::{
    cost::Counter,
    request_cost::{self, Call},
};

/// Awaits a call to another service, and counts it with its time.
pub async fn call<T>(call: impl Future<Output = T>) -> T {
    let _under_way = request_cost::call(Call::Upstream);
    request_cost::add(Counter::UpstreamCalls, 1);
    let started = Instant::now();
    let answer = call.await;
    request_cost::add_time(Counter::UpstreamMs, started.elapsed());
    answer
}

/// Counts a connection that had to be opened for a call.
pub fn connected() {
    request_cost::add(Counter::UpstreamConnections, 1);
}
