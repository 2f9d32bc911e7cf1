//! Tasks and closures that work for the current request: their cost is counted on it, as long as it
//! lasts. What the runtime's own `spawn` starts is on nobody's record, only in the totals.

use std::{future::Future, time::Instant};

use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

use crate::{
    cost::Counter,
    poll_meter::PollMeter,
    request_cost::{self, Call, Measured},
    runtime::blocking_pool::{self, Pool},
};

/// Spawns a task that works for the current request, within its span.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    request_cost::add(Counter::Tasks, 1);
    match request_cost::current() {
        Some(request_cost) => tokio::spawn(Measured::new(request_cost, work).in_current_span()),
        None => tokio::spawn(work),
    }
}

/// Runs a closure on the app's blocking pool for the current request, within its span. Counts its
/// wait, and what it uses of its thread.
pub fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    request_cost::add(Counter::BlockingCalls, 1);
    let (request_cost, span, under_way) =
        (request_cost::current(), Span::current(), request_cost::call(Call::Blocking));
    let queued = Instant::now();
    blocking_pool::spawn(Pool::App, move || {
        let _under_way = under_way;
        let _in_span = span.enter();
        let Some(request_cost) = request_cost else { return work() };
        request_cost.add_time(Counter::BlockingWaitMs, queued.elapsed());
        request_cost::within(&request_cost, || {
            let meter = PollMeter::of_idle_thread();
            let result = work();
            request_cost.add_thread_use(&meter.stop());
            result
        })
    })
}
