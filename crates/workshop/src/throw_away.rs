//! Throw-away runtimes, for work that may deadlock for ever. Victims on the app's runtime would hold
//! its workers until the process ends; here they hold threads that nothing else needs.
//!
//! A thread can't be ended from outside. Those that never end are counted, and from a limit on no
//! further runtime is made.

use std::{
    future::Future,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use metrics::gauge;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tracing::Instrument;

use crate::metrics::THROW_AWAY_THREADS;
use observe::request_cost::{self, Measured};

/// Most runtimes in use at once.
pub const MOST_RUNTIMES: usize = 8;
/// Most threads that may be stuck. Each takes some ten kilobytes, and none takes a core.
pub const MOST_STUCK: usize = 256;
/// Interval of the heartbeat: 200 in 2 s while any worker is free.
pub const HEARTBEAT: Duration = Duration::from_millis(10);

/// Threads of every runtime that has some alive.
static RUNTIMES: Mutex<Vec<Arc<Threads>>> = Mutex::new(Vec::new());

/// A tokio runtime that may be lost. Dropping it throws it away without waiting for its threads.
pub struct ThrowAway {
    runtime: Option<Runtime>,
    threads: Arc<Threads>,
    jobs: Arc<AtomicU64>,
    heartbeats: Arc<AtomicU64>,
}

/// Threads of one runtime.
#[derive(Default)]
struct Threads {
    alive: AtomicUsize,
    is_thrown_away: AtomicBool,
}

impl Threads {
    fn begins(&self) {
        self.alive.fetch_add(1, SeqCst);
    }

    fn ends(&self) {
        self.alive.fetch_sub(1, SeqCst);
    }
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

impl ThrowAway {
    /// Starts a runtime with so many workers. Its threads are named after the lab.
    ///
    /// # Errors
    /// Too many runtimes are in use, or too many threads are stuck.
    pub fn start(lab: &str, workers: usize) -> Result<Self, Lost> {
        let threads = register()?;
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
        Ok(Self { runtime: Some(runtime), threads, jobs: Arc::default(), heartbeats })
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
        let mut job = match request_cost::current() {
            Some(cost) => runtime.spawn(Measured::new(cost, work).in_current_span()),
            None => runtime.spawn(work),
        };
        match timeout(deadline, &mut job).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Lost::Panicked(error.to_string())),
            Err(_) => {
                // Nobody waits for it. If it is stuck in a poll, that changes nothing.
                job.abort();
                Err(Lost::Expired(deadline))
            }
        }
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

/// Threads of throw-away runtimes in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Runtimes in use, and their threads.
    pub runtimes: usize,
    pub in_use: usize,
    /// Threads that outlive their runtime: they can't end, or not yet.
    pub stuck: usize,
}

/// Counts the threads, and forgets runtimes whose threads have all ended.
pub fn census() -> Census {
    count(&mut runtimes())
}

/// Sets the metrics. Call it before each scrape.
pub fn report() {
    let Census { in_use, stuck, .. } = census();
    for (state, threads) in [("in_use", in_use), ("stuck", stuck)] {
        gauge!(THROW_AWAY_THREADS, "state" => state).set(threads as f64);
    }
}

fn runtimes() -> MutexGuard<'static, Vec<Arc<Threads>>> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(runtimes: &mut Vec<Arc<Threads>>) -> Census {
    let mut census = Census::default();
    runtimes.retain(|threads| {
        let alive = threads.alive.load(SeqCst);
        if threads.is_thrown_away.load(SeqCst) {
            census.stuck += alive;
            return alive > 0;
        }
        census.runtimes += 1;
        census.in_use += alive;
        true
    });
    census
}

/// Takes a place among the runtimes.
fn register() -> Result<Arc<Threads>, Lost> {
    let mut runtimes = runtimes();
    let census = count(&mut runtimes);
    if census.stuck >= MOST_STUCK {
        return Err(Lost::Stuck(census.stuck));
    }
    if census.runtimes >= MOST_RUNTIMES {
        return Err(Lost::TooMany);
    }
    let threads = Arc::new(Threads::default());
    runtimes.push(threads.clone());
    Ok(threads)
}
