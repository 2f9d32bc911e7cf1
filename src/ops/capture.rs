//! Takes a profile of this process: by CPU time, or by wall-clock time.
//!
//! The pprof crate records whichever thread gets SIGPROF, and its timer counts CPU time: a thread
//! that sleeps never appears. For wall-clock time its timer is slowed to once a second, and every
//! thread gets the signal in turn, asleep or not.

use std::{collections::HashMap, time::Duration};

use pprof::{Frames, ProfilerGuardBuilder, Report};

use crate::{error::Error, labs::evidence::ProfileMode};

/// One profile at a time: the signal and its handler belong to the whole process.
static BUSY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub struct Request {
    pub mode: ProfileMode,
    pub seconds: u32,
    /// Samples per second, of each thread in wall mode, of each running core in cpu mode.
    pub hz: u32,
    /// Keeps the samples of threads that wait for work.
    pub with_idle: bool,
}

pub struct Capture {
    pub mode: ProfileMode,
    pub seconds: u32,
    /// How many samples a second were really taken of a thread that ran throughout.
    pub hz: f64,
    pub report: Report,
    /// Samples of threads that waited for work, by thread name, which are left out of the report.
    pub idle: HashMap<String, isize>,
}

/// Records, then resolves names, which takes seconds; on a blocking thread, so ops stays free.
pub async fn take(request: Request) -> Result<Capture, Error> {
    if cfg!(not(target_os = "linux")) && request.mode == ProfileMode::Wall {
        return Err(Error::NotSupported("wall-clock profiles need Linux".to_owned()));
    }
    let busy = BUSY
        .try_lock()
        .map_err(|_| Error::Conflict("a profile is being taken; try again after it".to_owned()))?;
    let capture = move || {
        // Held until the end even if the client goes away meanwhile.
        let _busy = busy;
        record(&request)
    };
    tokio::task::spawn_blocking(capture).await.map_err(Error::internal)?
}

fn record(request: &Request) -> Result<Capture, Error> {
    let duration = Duration::from_secs(u64::from(request.seconds));
    let timer_hz = match request.mode {
        ProfileMode::Cpu => request.hz,
        ProfileMode::Wall => 1,
    };
    let guard = ProfilerGuardBuilder::default()
        .frequency(i32::try_from(timer_hz).unwrap_or(i32::MAX))
        // A thread that unwinds must not be unwound itself. libc stays: sleeps and allocation are there.
        .blocklist(&["libgcc", "vdso"])
        .build()
        .map_err(Error::internal)?;
    let hz = match request.mode {
        ProfileMode::Cpu => {
            #[expect(clippy::disallowed_methods, reason = "a blocking thread, with nothing to do")]
            std::thread::sleep(duration);
            f64::from(request.hz)
        }
        ProfileMode::Wall => wall::signal_every_thread(duration, request.hz)?,
    };
    let mut raw = guard.report().build_unresolved().map_err(Error::internal)?;
    // Resolving names takes CPU time that nobody asked about: stop first.
    drop(guard);
    raw.timing.frequency = (hz.round() as i32).max(1);
    raw.timing.duration = duration;

    let mut idle = HashMap::new();
    let mut data = HashMap::new();
    for (frames, count) in raw.data {
        let frames = with_public_names(Frames::from(frames));
        let may_be_idle = request.mode == ProfileMode::Wall && !request.with_idle;
        if may_be_idle && is_idle(&frames) {
            *idle.entry(frames.thread_name_or_id()).or_default() += count;
        } else {
            *data.entry(frames).or_default() += count;
        }
    }
    let report = Report { data, timing: raw.timing };
    Ok(Capture { mode: request.mode, seconds: request.seconds, hz, report, idle })
}

/// Where the standard library keeps a function, and where people know it from.
const PUBLIC_NAMES: [(&str, &str); 1] = [("std::thread::functions::", "std::thread::")];

/// Demangles once for all that follows, and calls functions what people call them.
fn with_public_names(mut frames: Frames) -> Frames {
    for symbol in frames.frames.iter_mut().flatten() {
        let mut name = symbol.name();
        for (private, public) in PUBLIC_NAMES {
            name = name.replace(private, public);
        }
        symbol.name = Some(name.into_bytes());
    }
    frames
}

/// Functions in which a thread waits for work rather than does some.
const WAITING_FOR_WORK: [&str; 9] = [
    "scheduler::multi_thread::park::Inner::park",
    "scheduler::multi_thread::park::Parker::park",
    "scheduler::multi_thread::worker::Context::park",
    "runtime::park::CachedParkThread::park",
    "runtime::park::Inner::park",
    "runtime::time::Driver::park",
    "mpsc::Receiver<T>::recv",
    "<flume::IntoIter<T> as core::iter::traits::iterator::Iterator>::next",
    "crossbeam_channel::channel::Receiver",
];

fn is_idle(frames: &Frames) -> bool {
    let names = || frames.frames.iter().flatten().map(|symbol| symbol.name());
    if names().any(|name| WAITING_FOR_WORK.iter().any(|waiting| name.contains(waiting))) {
        return true;
    }
    // A thread of tokio's blocking pool waits in the pool's own loop, with no task inside.
    let has = |part: &str| names().any(|name| name.contains(part));
    has("runtime::blocking::pool::Inner::run") && !has("runtime::task::")
}

#[cfg(target_os = "linux")]
mod wall {
    use std::{
        thread::sleep,
        time::{Duration, Instant},
    };

    use crate::error::Error;

    /// Between two signals: a thread whose handler finds another's still running is not recorded.
    const PAUSE: Duration = Duration::from_micros(100);

    /// Sends SIGPROF to every thread but this, round after round. Returns the rounds per second.
    #[expect(clippy::disallowed_methods, reason = "a blocking thread that keeps time by sleeping")]
    pub(super) fn signal_every_thread(duration: Duration, hz: u32) -> Result<f64, Error> {
        let own = nix::unistd::gettid().as_raw();
        let round = Duration::from_secs(1) / hz;
        let started = Instant::now();
        let mut rounds = 0_u32;
        while started.elapsed() < duration {
            let round_started = Instant::now();
            for thread in threads().map_err(Error::internal)? {
                if thread != own {
                    signal(thread);
                    sleep(PAUSE);
                }
            }
            rounds += 1;
            sleep(round.saturating_sub(round_started.elapsed()));
        }
        Ok(f64::from(rounds) / started.elapsed().as_secs_f64())
    }

    fn threads() -> std::io::Result<Vec<i32>> {
        let id = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
        let entries = std::fs::read_dir("/proc/self/task")?;
        Ok(entries.filter_map(|entry| id(entry.ok()?)).collect())
    }

    /// A thread that has ended meanwhile is no error.
    #[expect(unsafe_code, reason = "no safe wrapper of tgkill exists; it takes three integers")]
    fn signal(thread: i32) {
        // SAFETY: tgkill reads no memory of ours. SIGPROF has the profiler's handler while a guard
        // lives, and the caller holds one.
        unsafe {
            libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGPROF);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod wall {
    pub(super) fn signal_every_thread(
        _: std::time::Duration,
        _: u32,
    ) -> Result<f64, crate::error::Error> {
        Err(crate::error::Error::NotSupported("wall-clock profiles need Linux".to_owned()))
    }
}
