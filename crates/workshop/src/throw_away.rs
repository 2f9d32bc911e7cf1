//! Throw-away runtimes, for work that may deadlock for ever. Victims on the app's runtime would hold
//! its workers until the process ends; here they hold threads that nothing else needs.
//!
//! What waits is dropped with its runtime, and a thread that waited for that comes back. A thread
//! can't be ended from outside: those that never end are counted, and from a limit on no further
//! runtime is made.

use std::{
    future::Future,
    io,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{
            AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tracing::Instrument;

use observe::request_cost::{self, Measured};
use product::error::Error;

/// Threads of all throw-away runtimes.
mod census;
/// Work that can be dropped while it waits.
mod slot;

use census::Threads;
pub use census::{Census, census, report};
use slot::{InSlot, Waiting};

/// Most runtimes in use at once.
pub const MOST_RUNTIMES: usize = 8;
/// Most threads that may be stuck. Each takes some ten kilobytes, and none takes a core.
pub const MOST_STUCK: usize = 256;
/// Interval of the heartbeat: 200 in 2 s while any worker is free.
pub const HEARTBEAT: Duration = Duration::from_millis(10);

/// A tokio runtime that may be lost. Dropping it throws it away without waiting for its threads.
pub struct ThrowAway {
    runtime: Option<Runtime>,
    threads: Arc<Threads>,
    /// Jobs that have not ended.
    waiting: Mutex<Vec<Weak<dyn Waiting>>>,
    jobs: Arc<AtomicU64>,
    heartbeats: Arc<AtomicU64>,
}

/// Error of a runtime that can't be made, or of work that did not end.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error("{} throw-away runtimes are in use; wait until one is thrown away", MOST_RUNTIMES)]
    TooMany,
    #[error("{0} threads of earlier runs can't end; restart the server to be rid of them")]
    Stuck(usize),
    #[error("no thread for a throw-away runtime: {0}")]
    NoThread(#[from] io::Error),
    #[error("the work had not ended after {0:?}")]
    Expired(Duration),
    #[error("the work panicked: {0}")]
    Panicked(String),
}

/// Says what whoever asked can do about it: all of it is the lab's own doing.
impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::TooMany => Self::Overloaded(
                "all throw-away runtimes are in use; try again when their requests have ended",
            ),
            Lost::Stuck(_) => Self::Overloaded(
                "too many threads of earlier requests can't end; restart the server to be rid of them",
            ),
            Lost::Panicked(_) => Self::internal(lost),
            Lost::NoThread(_) | Lost::Expired(_) => {
                Self::Unavailable { part: "throw-away runtime", cause: lost.to_string() }
            }
        }
    }
}

impl ThrowAway {
    /// Starts a runtime with so many workers. Its threads are named after the lab.
    ///
    /// # Errors
    /// Too many runtimes are in use, or too many threads are stuck.
    pub fn start(lab: &str, workers: usize) -> Result<Self, Lost> {
        let threads = census::register()?;
        let (started, ended) = (threads.clone(), threads.clone());
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers.max(1))
            // The kernel shows 15 bytes of it.
            .thread_name(format!("lost-{lab}"))
            .on_thread_start(move || started.begins())
            .on_thread_stop(move || ended.ends())
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                threads.is_thrown_away.store(true, SeqCst);
                return Err(error.into());
            }
        };
        let heartbeats = Arc::new(AtomicU64::new(0));
        runtime.spawn(beat(heartbeats.clone()));
        let (waiting, jobs) = (Mutex::default(), Arc::default());
        Ok(Self { runtime: Some(runtime), threads, waiting, jobs, heartbeats })
    }

    /// Runs work on this runtime, and waits for its result until the deadline. Its cost is counted
    /// on the calling request.
    ///
    /// # Errors
    /// The work did not end in time, or panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Lost> {
        let jobs = self.jobs.clone();
        let work = async move {
            let result = work.await;
            jobs.fetch_add(1, Relaxed);
            result
        };
        // It is here until it is dropped.
        let Some(runtime) = &self.runtime else { return Err(Lost::Expired(Duration::ZERO)) };
        let work = InSlot::new(work);
        self.remember(work.slot());
        let job = match request_cost::current() {
            Some(cost) => runtime.spawn(Measured::new(cost, work).in_current_span()),
            None => runtime.spawn(work),
        };
        // What waits stays where it is until the runtime is thrown away: to drop it now would free
        // others that wait for it, each at another moment.
        match timeout(deadline, job).await {
            Ok(Ok(Some(result))) => Ok(result),
            Ok(Err(error)) => Err(Lost::Panicked(error.to_string())),
            Ok(Ok(None)) | Err(_) => Err(Lost::Expired(deadline)),
        }
    }

    fn remember(&self, job: Weak<dyn Waiting>) {
        // A panic while the lock was held leaves a list that is whole.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|job| job.strong_count() > 0);
        waiting.push(job);
    }

    /// Jobs that came to their end.
    pub fn jobs_done(&self) -> u64 {
        self.jobs.load(Relaxed)
    }

    /// Heartbeats of the runtime: none while all workers are held.
    pub fn heartbeats(&self) -> u64 {
        self.heartbeats.load(Relaxed)
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        self.threads.is_thrown_away.store(true, SeqCst);
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        for job in waiting.iter().filter_map(Weak::upgrade) {
            job.drop_work();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn beat(heartbeats: Arc<AtomicU64>) {
    let mut every = tokio::time::interval(HEARTBEAT);
    loop {
        every.tick().await;
        heartbeats.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
