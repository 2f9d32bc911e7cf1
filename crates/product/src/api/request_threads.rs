//! Thread-per-request pool, the concurrency model of /api/v1: a request holds one of a few OS
//! threads from dispatch to answer, as in a synchronous server, and queues while all are held.
//! Requests that hash a password use a second pool, as they would hold all threads of this one.
//!
//! The handlers are those of /api/v2. Only the waiting differs: here a thread waits in `block_on`,
//! there none does. When a request's deadline has passed, its thread is released.

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
use observe::{
    cost::Counter,
    profiles::{idle, occupied},
    request_cost, traces,
};

/// Maximum of waiting requests: at 50 ms each, a minute's work for 8 threads. A later request is
/// refused at once, which is better for its client than a timeout.
const QUEUE: usize = 10_000;

/// Work of a thread for one request.
type Job = Box<dyn FnOnce(&Handle) + Send>;

/// Layer that runs handlers on these threads. The threads end when its last copy is dropped.
#[derive(Clone)]
pub struct RequestThreads {
    jobs: SyncSender<Job>,
    queued: Gauge,
}

impl RequestThreads {
    /// Starts the threads, which use the drivers and tasks of `runtime`. Errors if one can't start.
    pub fn start(threads: u16, runtime: &Handle) -> std::io::Result<Self> {
        let gauges = [names::V1_THREADS, names::V1_THREADS_HELD, names::V1_QUEUE];
        // Zero, not absent, until it happens: a panel or an alert rule must find it.
        for reason in ["client_gone", "queue_full", "too_late"] {
            counter!(names::V1_NOT_RUN, "reason" => reason).increment(0);
        }
        Self::start_counted("v1-thread", threads, runtime, gauges.map(|name| gauge!(name)))
    }

    /// Starts a second pool, for requests that are counted elsewhere: those with a place to hash.
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

    /// Runs `work` on one of the threads and returns its answer.
    ///
    /// If the client disconnects while its request is queued, nothing is run. Once it runs it is
    /// finished, as by any server that finds out when it writes.
    async fn answer_of<F>(&self, clock: Option<Clock>, work: F) -> Response
    where
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let (request_cost, span, since) =
            (request_cost::current(), Span::current(), Instant::now());
        let queued = traces::waiting("v1 queue wait");
        let job = move |runtime: &Handle| {
            drop(queued);
            if let Some(late) = clock.as_ref().and_then(Clock::too_late) {
                counter!(names::V1_NOT_RUN, "reason" => "too_late").increment(1);
                // Fails only if the client has an answer already.
                let _ = answer.send(late.into_response());
                return;
            }
            if answer.is_closed() {
                counter!(names::V1_NOT_RUN, "reason" => "client_gone").increment(1);
                return;
            }
            let _in_span = span.enter();
            let run = || hold_until_answered(runtime, clock, work);
            let response = match &request_cost {
                Some(request_cost) => {
                    request_cost.add_time(Counter::QueueWaitMs, since.elapsed());
                    request_cost::hold(request_cost, run)
                }
                None => run(),
            };
            // Fails only if the client has disconnected meanwhile.
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

/// Waits for the answer of a request, which holds this thread meanwhile.
fn hold_until_answered<F>(runtime: &Handle, clock: Option<Clock>, work: F) -> Response
where
    F: Future<Output = Result<Response, Infallible>>,
{
    let work = Clock::within(clock.as_ref(), AssertUnwindSafe(work).catch_unwind());
    match occupied(|| runtime.block_on(work)) {
        Ok(result) => result.map_or_else(error::panicked, |Ok(response)| response),
        Err(too_long) => too_long.into_response(),
    }
}

/// Next request; none when no copy of the layer is left.
fn wait_for_next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    // Taking a job out can't leave the queue broken.
    idle(|| jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok())
}

impl<S> Layer<S> for RequestThreads {
    type Service = OnRequestThread<S>;

    fn layer(&self, inner: S) -> OnRequestThread<S> {
        OnRequestThread { inner, threads: self.clone() }
    }
}

#[derive(Clone)]
pub struct OnRequestThread<S> {
    inner: S,
    threads: RequestThreads,
}

impl<S> Service<Request> for OnRequestThread<S>
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
            // Like a proxy in front of a synchronous server: a client that sends its body slowly
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
