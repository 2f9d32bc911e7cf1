//! Opens a lab: makes its data at the first request, while others wait for the same attempt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use product::api::state::SharedState;
use tokio::runtime::Handle;

use super::{
    Lab,
    data::{DataError, Part},
};
use crate::{evidence::Needs, upstream::Upstream};
use observe::{error::problem, shown::panic_message};

/// Failure to make or reset the data of a lab.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the lab {lab} can't be used: {reason}; the next request tries again")]
pub struct NotOpen {
    lab: &'static str,
    reason: Arc<str>,
}

/// Work under way. Its outcome is that of everybody who waits for it.
type Work = Shared<BoxFuture<'static, Result<(), NotOpen>>>;

enum Phase {
    Closed,
    /// The data are being made or reset.
    Working(Work),
    Open,
}

/// A served lab that has data of its own, or needs a service.
pub(super) struct Opening {
    lab: &'static Lab,
    needs: Needs,
    state: SharedState,
    /// The upstream as each variant sees it.
    callers: Vec<Upstream>,
    /// Runtime of the app: a lab's data are its work, whoever asks for them.
    app: Handle,
    phase: Mutex<Phase>,
}

impl Opening {
    /// Must be called on the app's runtime.
    pub fn new(
        lab: &'static Lab,
        needs: Needs,
        state: SharedState,
        callers: Vec<Upstream>,
    ) -> Arc<Self> {
        let (app, phase) = (Handle::current(), Mutex::new(Phase::Closed));
        Arc::new(Self { lab, needs, state, callers, app, phase })
    }

    /// Waits until the data are there. The first call has them made.
    async fn open(self: &Arc<Self>) -> Result<(), NotOpen> {
        let work = {
            let mut phase = self.phase();
            match &*phase {
                Phase::Open => return Ok(()),
                Phase::Working(work) => work.clone(),
                Phase::Closed => self.begin(&mut phase, Self::make),
            }
        };
        work.await
    }

    /// Resets the data. A lab that nobody has opened has none.
    pub async fn reset(self: &Arc<Self>) -> Result<(), NotOpen> {
        loop {
            let others = {
                let mut phase = self.phase();
                match &*phase {
                    Phase::Closed => return Ok(()),
                    Phase::Working(work) => Ok(work.clone()),
                    Phase::Open => Err(self.begin(&mut phase, Self::make_anew)),
                }
            };
            match others {
                // Whether it failed is reported to those who began it.
                Ok(work) => drop(work.await),
                Err(own) => return own.await,
            }
        }
    }

    async fn make(self: Arc<Self>) -> Result<(), (Part, DataError)> {
        if let Some(missing) = self.needs.missing_services(&self.state.config) {
            return Err((Part::Needs, missing.into()));
        }
        self.lab.data.make(self.state.clone()).await?;
        self.begin_faults();
        Ok(())
    }

    async fn make_anew(self: Arc<Self>) -> Result<(), (Part, DataError)> {
        if let Some(reset) = self.lab.data.reset {
            reset(self.state.clone()).await.map_err(|error| (Part::Reset, error))?;
        }
        self.begin_faults();
        Ok(())
    }

    fn begin_faults(&self) {
        if let Some(faults) = self.lab.data.faults {
            self.callers.iter().for_each(|caller| caller.begin(faults));
        }
    }

    /// Begins work on a task of its own: a client that leaves does not end it, and what it costs is
    /// not on that client's record.
    fn begin<F>(self: &Arc<Self>, phase: &mut Phase, work: fn(Arc<Self>) -> F) -> Work
    where
        F: Future<Output = Result<(), (Part, DataError)>> + Send + 'static,
    {
        let (this, lab) = (self.clone(), self.lab.id);
        let task = self.app.spawn(async move {
            // On another task, so that a panic is an outcome too.
            let reason = match this.app.spawn(work(this.clone())).await {
                Ok(Ok(())) => None,
                Ok(Err((part, error))) => Some(format!("{part}{error}")),
                Err(error) => Some(match error.try_into_panic() {
                    Ok(panic) => format!("it panicked: {}", panic_message(&*panic)),
                    Err(stopped) => stopped.to_string(),
                }),
            };
            let Some(reason) = reason else {
                *this.phase() = Phase::Open;
                return Ok(());
            };
            tracing::error!(lab, reason, "the data of a lab could not be made");
            *this.phase() = Phase::Closed;
            Err(NotOpen { lab, reason: reason.into() })
        });
        let this = self.clone();
        let work = task.map(move |joined| {
            joined.unwrap_or_else(|stopped| {
                // It ended with the runtime, and left its phase: a reset would look at it for ever.
                *this.phase() = Phase::Closed;
                Err(NotOpen { lab, reason: stopped.to_string().into() })
            })
        });
        let work = work.boxed().shared();
        *phase = Phase::Working(work.clone());
        work
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        // A panic while the lock was held leaves a phase that is whole.
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Layer of a lab's routes.
pub(super) async fn demand_open(
    State(opening): State<Arc<Opening>>,
    request: Request,
    next: Next,
) -> Response {
    match opening.open().await {
        Ok(()) => next.run(request).await,
        Err(not_open) => not_open.into_response(),
    }
}

impl IntoResponse for NotOpen {
    /// Says the cause, which product errors keep to the log: whoever opens a lab has to repair it.
    fn into_response(self) -> Response {
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, self.to_string(), None);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}
