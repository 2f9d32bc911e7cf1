//! Profiles of this process: by CPU time, by wall-clock time, and of the heap. Each is kept for a
//! while as gzipped pprof protobuf; flame graphs and differences are made from that.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, SystemTime},
};

use axum::{Router, body::Bytes};
use serde::Serialize;

use crate::labels::{Labels, RouteLabels};
use crate::{
    error::Error,
    runtime::blocking_pool::{self, Pool},
};

/// Reports of the pprof crate as protobuf.
mod encode;
/// Flame graphs: of one profile, and of the difference of two.
mod flame;
/// Heap profiles from jemalloc's samples.
#[cfg(target_os = "linux")]
mod heap;
/// Errors for systems without jemalloc.
#[cfg(not(target_os = "linux"))]
#[path = "no_heap.rs"]
mod heap;
/// Store of the last captures.
mod kept;
/// Routes of the last captures: list, one of them, difference of two.
mod kept_routes;
/// Public names of functions, and detection of idle threads.
mod names;
/// HTML list of captures.
mod page;
/// Profiles by CPU time and by wall-clock time.
mod record;
/// Routes that take profiles.
mod routes;
/// Handler of SIGPROF.
mod sampler;
/// Samples that the handler stores.
mod samples;
/// Signals to every thread.
mod signals;
/// Stacks of names from a pprof protobuf.
mod stacks;

pub use heap::Sampling;
pub use kept::{Capture, Captures, List as CaptureList};
pub use names::{idle, occupied};
pub use stacks::{FrameReader, FrameSamples};

/// Kept profiles, and the labels that a profile may have.
#[derive(Clone, Default)]
pub struct ProfileState {
    pub captures: Arc<Captures>,
    pub labels: Arc<RouteLabels>,
}

pub fn router<S: Clone + Send + Sync + 'static>(state: ProfileState) -> Router<S> {
    Router::new().merge(routes::router()).merge(kept_routes::router()).with_state(state)
}

/// True if jemalloc, which samples allocations, is the allocator: on Linux only.
pub const HEAP_IS_HERE: bool = cfg!(target_os = "linux");

/// Kind of profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Cpu,
    Wall,
    Heap,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Wall, Self::Heap];

    /// Value of the parameter `mode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Heap => "heap",
        }
    }

    pub fn unit(self) -> &'static str {
        if self == Self::Heap { "bytes" } else { "samples" }
    }
}

pub struct Request {
    pub mode: Mode,
    pub seconds: u32,
    /// Samples per second, of each thread in wall mode, of each running core in cpu mode.
    pub hz: u32,
    /// Keeps the samples of threads that wait for work.
    pub with_idle: bool,
    /// Labels of the load that the caller runs meanwhile.
    pub labels: Labels,
}

/// Recorded profile.
pub struct Recorded {
    pub started: SystemTime,
    pub seconds: f64,
    /// Gzipped pprof protobuf.
    pub packed: Bytes,
    /// Explanation of its flame graph.
    pub explained: String,
}

/// Lock that allows one profile at a time: SIGPROF and jemalloc's switch are process-wide.
static BUSY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn only_one() -> Result<tokio::sync::MutexGuard<'static, ()>, Error> {
    BUSY.try_lock()
        .map_err(|_| Error::Conflict("a profile is being taken; try again after it".to_owned()))
}

/// Takes a profile on a blocking thread, so that ops stays free: resolving names takes seconds.
///
/// # Errors
/// `Conflict` during another profile; `NotSupported` if this system can't take it.
pub async fn take(request: Request, captures: Arc<Captures>) -> Result<Arc<Capture>, Error> {
    if cfg!(not(target_os = "linux")) && request.mode == Mode::Wall {
        return Err(Error::NotSupported("wall-clock profiles need Linux".to_owned()));
    }
    let busy = only_one()?;
    // Dropped with this future when the client goes away, which ends the recording.
    let (_client, gone) = mpsc::channel();
    let window = Window { duration: Duration::from_secs(request.seconds.into()), gone };
    let capture = move || {
        let _busy = busy;
        let recorded = match request.mode {
            Mode::Cpu | Mode::Wall => record::record(&request, &window),
            Mode::Heap => heap::record(&window),
        };
        // Frees the line tables of the names: over 100 MiB, kept for good otherwise.
        backtrace::clear_symbol_cache();
        captures.keep(request.mode, request.labels, recorded?)
    };
    apart(capture).await
}

/// Runs expensive work on a blocking thread, and returns its memory to the system.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let work = move || {
        let outcome = work();
        heap::give_back();
        outcome
    };
    blocking_pool::spawn(Pool::Ops, work).await.map_err(Error::internal)?
}

/// Duration of a recording, which ends early if its client goes away.
pub struct Window {
    duration: Duration,
    /// Channel that never carries a value: it only shows if the client's end still exists.
    gone: mpsc::Receiver<std::convert::Infallible>,
}

impl Window {
    /// Waits for `duration`; fails if the client goes away.
    fn wait(&self, duration: Duration) -> Result<(), Error> {
        match self.gone.recv_timeout(duration) {
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(Error::Conflict("the client went away".to_owned()))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(()),
            Ok(never) => match never {},
        }
    }
}
