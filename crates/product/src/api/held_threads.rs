//! The concurrency model of /api/v1: a request holds one of a few OS threads from dispatch to
//! answer, as in a synchronous server, and queues while all of them are held. Requests that hash a
//! password have as many threads apart: they wait for a core too, and would hold the others' threads.
//!
//! The handlers are those of /api/v2. Only who waits for them differs: here a thread, in
//! `block_on`; there nobody. When the time of a request is over, its thread is given back.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    task::{Context, Poll},
    thread,
    time::Instant,
};

use axum::{extract::Request, response::IntoResponse, response::Response};
use futures_util::{FutureExt, future::BoxFuture};
use metrics::{Gauge, counter, gauge};
use tokio::{runtime::Handle, sync::oneshot};
use tower::{Layer, Service, ServiceExt};
use tracing::Span;

use crate::metrics as names;
use crate::{
    edge::Clock,
    error::{self, Error},
    input::arrived,
};
use observe::{budget, traces};

/// Requests that may wait. At 50 ms each they are a minute's work for 8 threads; who comes then is
/// better told to come again than left to run into a timeout.
const QUEUE: usize = 10_000;

/// What a thread does for one request.
type Job = Box<dyn FnOnce(&Handle) + Send>;

/// A layer that answers on these threads. They end with its last copy.
#[derive(Clone)]
pub struct HeldThreads {
    jobs: SyncSender<Job>,
    queued: Gauge,
}

impl HeldThreads {
    /// Starts the threads. What they wait for runs on `runtime`, whose drivers and tasks they use.
    pub fn start(threads: u16, runtime: &Handle) -> std::io::Result<Self> {
        let gauges = [names::V1_THREADS, names::V1_THREADS_HELD, names::V1_QUEUE];
        // Zero, not absent, until it happens: a panel or a rule must find it.
        for reason in ["client_gone", "queue_full", "too_late"] {
            counter!(names::V1_NOT_RUN, "reason" => reason).increment(0);
        }
        Self::start_counted("v1-thread", threads, runtime, gauges.map(|name| gauge!(name)))
    }

    /// A second set, for requests that are counted elsewhere: those that have a place to hash.
    pub fn start_apart(threads: u16, runtime: &Handle) -> std::io::Result<Self> {
        Self::start_counted("v1-password", threads, runtime, [(); 3].map(|()| Gauge::noop()))
    }

    fn start_counted(
        name: &str,
        threads: u16,
        runtime: &Handle,
        [all, held, queued]: [Gauge; 3],
    ) -> std::io::Result<Self> {
        let (jobs, next) = sync_channel(QUEUE);
        let next = Arc::new(Mutex::new(next));
        for n in 0..threads {
            let (next, runtime, queued) = (next.clone(), runtime.clone(), queued.clone());
            let (all, held) = (all.clone(), held.clone());
            let work = move || {
                all.increment(1.0);
                while let Some(job) = wait_for_next(&next) {
                    queued.decrement(1.0);
                    held.increment(1.0);
                    job(&runtime);
                    held.decrement(1.0);
                }
                all.decrement(1.0);
            };
            thread::Builder::new().name(format!("{name}-{n}")).spawn(work)?;
        }
        Ok(Self { jobs, queued })
    }

    /// The answer that `work` comes to on one of the threads.
    ///
    /// A client that goes away while its request is queued has not been served, and nothing is run.
    /// From then on its request is finished, as by any server that finds out when it writes.
    async fn answer_of<F>(&self, clock: Option<Clock>, work: F) -> Response
    where
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let (budget, span, since) = (budget::current(), Span::current(), Instant::now());
        let queued = traces::waiting("v1 queue wait");
        let job = move |runtime: &Handle| {
            drop(queued);
            if let Some(late) = clock.as_ref().and_then(Clock::too_late) {
                counter!(names::V1_NOT_RUN, "reason" => "too_late").increment(1);
                // Fails only if the client was told already.
                let _ = answer.send(late.into_response());
                return;
            }
            if answer.is_closed() {
                counter!(names::V1_NOT_RUN, "reason" => "client_gone").increment(1);
                return;
            }
            let _in_span = span.enter();
            let run = || hold_until_answered(runtime, clock, work);
            let response = match &budget {
                Some(budget) => {
                    budget.add_queue_wait(since.elapsed());
                    budget::hold(budget, run)
                }
                None => run(),
            };
            // Fails only if the client has gone meanwhile.
            let _ = answer.send(response);
        };
        // Before a thread can take it out and count down.
        self.queued.increment(1.0);
        if self.jobs.try_send(Box::new(job)).is_err() {
            self.queued.decrement(1.0);
            counter!(names::V1_NOT_RUN, "reason" => "queue_full").increment(1);
            return Error::Overloaded("too many requests wait for a thread already")
                .into_response();
        }
        answered.await.unwrap_or_else(|_| {
            Error::internal("the thread that held the request is gone").into_response()
        })
    }
}

/// A frame of its own, so that a wall profile tells a thread that is held from an idle one.
#[inline(never)]
fn hold_until_answered<F>(runtime: &Handle, clock: Option<Clock>, work: F) -> Response
where
    F: Future<Output = Result<Response, Infallible>>,
{
    let work = Clock::within(clock.as_ref(), AssertUnwindSafe(work).catch_unwind());
    match runtime.block_on(work) {
        Ok(result) => result.map_or_else(error::panicked, |Ok(response)| response),
        Err(too_long) => too_long.into_response(),
    }
}

/// None when no copy of the layer is left.
#[inline(never)]
fn wait_for_next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    // Taking a job out can't leave the queue broken.
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl<S> Layer<S> for HeldThreads {
    type Service = OnHeldThread<S>;

    fn layer(&self, inner: S) -> OnHeldThread<S> {
        OnHeldThread { inner, threads: self.clone() }
    }
}

#[derive(Clone)]
pub struct OnHeldThread<S> {
    inner: S,
    threads: HeldThreads,
}

impl<S> Service<Request> for OnHeldThread<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { inner, threads } = self.clone();
        let answer = async move {
            // As a proxy in front of a synchronous server would: a client that sends its body slowly
            // holds no thread.
            match arrived(request).await {
                Ok(request) => {
                    let clock = Clock::of(&request);
                    threads.answer_of(clock, inner.oneshot(request)).await
                }
                Err(error) => error.into_response(),
            }
        };
        answer.map(Ok).boxed()
    }
}
