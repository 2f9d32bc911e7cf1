//! Runs work of a request so that its counters are found meanwhile, and meters the thread that runs it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{CURRENT, RequestCost, nanos};
use crate::{
    blocked::BLOCKED_FROM,
    cost::Counter,
    poll_meter::{PollMeter, thread_parks},
    totals, workers,
};

/// Runs `f` on the calling thread as one poll of the request, as a thread-per-request server does.
///
/// A thread that waits inside `f` is still held, and the wait shows as context switches.
pub fn hold<T>(request_cost: &Arc<RequestCost>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(request_cost);
    // The thread waited for this request before; that wait is not part of the cost.
    thread_parks();
    let meter = PollMeter::start();
    let result = f();
    let poll = meter.stop();
    request_cost.add_poll(&poll);
    // It is no thread of the app's runtime, whose use is read from the kernel.
    totals::add(Counter::CpuMs, nanos(poll.cpu));
    totals::add(Counter::Switches, poll.switches);
    result
}

pin_project_lite::pin_project! {
    /// Future whose polls are metered into the counters, which `with` sees meanwhile.
    pub struct Measured<F> {
        #[pin]
        inner: F,
        request_cost: Arc<RequestCost>,
    }
}

impl<F> Measured<F> {
    pub fn new(request_cost: Arc<RequestCost>, inner: F) -> Self {
        Self { inner, request_cost }
    }

    pub fn request_cost(&self) -> &Arc<RequestCost> {
        &self.request_cost
    }
}

/// Runs `f` so that `with` finds the counters, without metering it.
pub fn within<T>(request_cost: &Arc<RequestCost>, f: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(request_cost);
    f()
}

/// Runs `f` so that `with` finds the counters, and meters it as one poll of the request.
pub(crate) fn metered<T>(request_cost: &Arc<RequestCost>, f: impl FnOnce() -> T) -> T {
    let entered = Entered::new(request_cost);
    let meter = PollMeter::start();
    let shown = request_cost
        .route
        .as_ref()
        .map(|route| workers::polls(route.number(), &request_cost.ids.trace, meter.started()));
    let result = f();
    drop(shown);
    let poll = meter.stop();
    request_cost.add_poll(&poll);
    drop(entered);
    if poll.wall >= BLOCKED_FROM
        && let Some(route) = &request_cost.route
    {
        route.blocked(&poll, &request_cost.ids);
    }
    result
}

/// Sets the counters of a scope and restores the former ones on drop, even after a panic.
struct Entered(Option<Arc<RequestCost>>);

impl Entered {
    fn new(request_cost: &Arc<RequestCost>) -> Self {
        Self(CURRENT.replace(Some(request_cost.clone())))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        metered(this.request_cost, || this.inner.poll(cx))
    }
}
