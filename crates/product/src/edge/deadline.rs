//! Deadline of an answer: a dependency that never answers must not hold a request for ever.
//!
//! The time in which a body arrives doesn't count. It is the client's, and has its own limit.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};
use tower::{Layer, Service};

use crate::{config, error::Error};

/// Layer that answers with 503 at the deadline, and drops the work on the answer.
#[derive(Clone, Copy)]
pub struct Deadline(pub config::Deadline);

/// Clock of a request, which is stopped while its body is read.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<Time>>);

struct Time {
    limit: Duration,
    /// End of the time, unless the clock is stopped.
    end: Instant,
    stopped: Option<Instant>,
}

impl Clock {
    fn start(limit: Duration) -> Self {
        let end = Instant::now() + limit;
        Self(Arc::new(Mutex::new(Time { limit, end, stopped: None })))
    }

    /// Clock of the request; None if it has no deadline.
    pub fn of(request: &Request) -> Option<Self> {
        request.extensions().get().cloned()
    }

    /// Stops the clock for `receiving`. If that is dropped it stays stopped: the request has ended.
    pub async fn stopped<T>(clock: Option<&Self>, receiving: impl Future<Output = T>) -> T {
        let Some(clock) = clock else { return receiving.await };
        clock.time().stopped = Some(Instant::now());
        let received = receiving.await;
        let mut time = clock.time();
        if let Some(since) = time.stopped.take() {
            time.end += since.elapsed();
        }
        received
    }

    /// Result of `work`, or an error at the deadline.
    pub async fn within<T>(
        clock: Option<&Self>,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let Some(clock) = clock else { return Ok(work.await) };
        let mut work = pin!(work);
        let mut end = pin!(sleep_until(clock.time().end));
        loop {
            tokio::select! {
                biased;
                answer = &mut work => return Ok(answer),
                () = &mut end => {
                    let Some(later) = clock.later() else {
                        return Err(Error::TookTooLong(clock.time().limit));
                    };
                    end.as_mut().reset(later);
                }
            }
        }
    }

    /// Next moment to check the deadline; None if it has passed.
    fn later(&self) -> Option<Instant> {
        let (time, now) = (self.time(), Instant::now());
        match time.stopped {
            // All of the time may be left when the body has arrived.
            Some(_) => Some(now + time.limit),
            None => (time.end > now).then_some(time.end),
        }
    }

    /// Error of a request whose deadline has passed.
    pub fn too_late(&self) -> Option<Error> {
        let is_over = self.later().is_none();
        is_over.then(|| Error::TookTooLong(self.time().limit))
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        // No change of it can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Layer<S> for Deadline {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limit: self.0.0 }
    }
}

#[derive(Clone)]
pub struct Limited<S> {
    inner: S,
    limit: Option<Duration>,
}

impl<S> Service<Request> for Limited<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let clock = self.limit.map(Clock::start);
        if let Some(clock) = &clock {
            request.extensions_mut().insert(clock.clone());
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answered = Clock::within(clock.as_ref(), answer).await;
            answered.unwrap_or_else(|too_long| Ok(too_long.into_response()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::yield_now;

    use super::*;

    /// A body that arrives when the time would be over.
    async fn body(clock: &Clock) {
        let receiving = async {
            while Instant::now() <= clock.time().end {
                yield_now().await;
            }
            yield_now().await;
        };
        Clock::stopped(Some(clock), receiving).await;
    }

    #[tokio::test]
    async fn the_time_in_which_a_body_arrives_does_not_count() {
        let clock = Clock::start(Duration::ZERO);
        let work = async {
            body(&clock).await;
            "answer"
        };
        assert_eq!(Clock::within(Some(&clock), work).await.unwrap(), "answer");
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_dropped_when_its_time_is_over() {
        let clock = Clock::start(Duration::ZERO);
        let work = async {
            body(&clock).await;
            pending::<()>().await;
        };
        let error = Clock::within(Some(&clock), work).await.unwrap_err();
        assert!(matches!(error, Error::TookTooLong(Duration::ZERO)), "{error}");
        assert!(clock.too_late().is_some());
        assert!(Clock::within(None, async { true }).await.unwrap());
    }
}
