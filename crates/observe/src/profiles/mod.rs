//! Profiles of this process: by CPU time, by wall-clock time, and of what is allocated. Each that is
//! taken is kept for a while as a gzipped pprof protobuf; pictures and differences are made from that.

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

/// A report of the pprof crate as protobuf.
mod encode;
/// Flame graphs: of one profile, and of the difference of two.
mod flame;
/// What is allocated, as jemalloc samples it.
#[cfg(target_os = "linux")]
mod heap;
/// Says so where there is no jemalloc.
#[cfg(not(target_os = "linux"))]
#[path = "no_heap.rs"]
mod heap;
/// The last captures.
mod kept;
/// The last captures as a list, one of them, and the difference of two.
mod kept_routes;
/// Which threads wait for work, and what functions are called in public.
mod names;
/// List of captures for people.
mod page;
/// By CPU time and by wall-clock time.
mod record;
/// Takes profiles on request.
mod routes;
/// The handler of SIGPROF.
mod sampler;
/// What the handler leaves.
mod samples;
/// Signals to every thread.
mod signals;
/// A pprof protobuf as stacks of names.
mod stacks;

pub use heap::Sampling;
pub use kept::{Capture, Captures, List as CaptureList};
pub use stacks::{FrameReader, FrameSamples};

/// Profiles that are kept, and the labels that one may be given.
#[derive(Clone, Default)]
pub struct ProfileState {
    pub captures: Arc<Captures>,
    pub labels: Arc<RouteLabels>,
}

pub fn router<S: Clone + Send + Sync + 'static>(state: ProfileState) -> Router<S> {
    Router::new().merge(routes::router()).merge(kept_routes::router()).with_state(state)
}

/// jemalloc, which samples allocations, is the allocator of this program on Linux.
pub const HEAP_IS_HERE: bool = cfg!(target_os = "linux");

/// What is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Cpu,
    Wall,
    Heap,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Wall, Self::Heap];

    /// As in `mode=`.
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
    /// What the caller says it is loading meanwhile.
    pub labels: Labels,
}

/// A profile as it was taken.
pub struct Recorded {
    pub started: SystemTime,
    pub seconds: f64,
    /// Gzipped pprof protobuf.
    pub packed: Bytes,
    /// How to read its picture.
    pub explained: String,
}

/// One profile at a time: the signal and its handler, and jemalloc's switch, belong to the whole process.
static BUSY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn only_one() -> Result<tokio::sync::MutexGuard<'static, ()>, Error> {
    BUSY.try_lock()
        .map_err(|_| Error::Conflict("a profile is being taken; try again after it".to_owned()))
}

/// Records, then resolves names, which takes seconds; on a blocking thread, so ops stays free.
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
        // The line tables that names were found in: over 100 MiB, kept for good otherwise.
        backtrace::clear_symbol_cache();
        captures.keep(request.mode, request.labels, recorded?)
    };
    apart(capture).await
}

/// Runs what takes much time and memory on a blocking thread, and gives the memory back.
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

/// The time of a recording, which ends early when nobody waits for its outcome any more.
pub struct Window {
    duration: Duration,
    /// Nothing is ever sent: that the other end is there is all it says.
    gone: mpsc::Receiver<std::convert::Infallible>,
}

impl Window {
    /// Waits so long, or until the client has gone.
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
