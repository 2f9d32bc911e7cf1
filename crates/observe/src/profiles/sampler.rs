//! Takes samples: the handler of SIGPROF records the stack of the thread that gets the signal.
//!
//! The pprof crate has a handler too, with tables that take 80 MiB for good, and twice that at the
//! end of each profile: too much for a server in a container. Only its reports and names are used.

use std::{
    ops::Range,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use libc::{c_int, c_void, siginfo_t};
use nix::{
    errno::Errno,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
};

use super::samples::{Frame, Samples, ThreadName};
use crate::error::Error;

/// Unsampled libraries: an unwinder must not be unwound. libc is sampled: sleeps, allocation.
const LEFT_OUT: [&str; 2] = ["libgcc", "[vdso]"];

struct Recording {
    samples: Samples,
    /// Addresses of code in which no sample is taken.
    left_out: Vec<Range<usize>>,
}

/// Samples of the current profile, if any. The handler never waits for the lock.
static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

fn recording() -> MutexGuard<'static, Option<Recording>> {
    RECORDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guard: while it lives, the thread that gets SIGPROF is sampled.
pub struct Sampler;

impl Sampler {
    pub fn start() -> Result<Self, Error> {
        // The unwinder loads what it needs at its first use, which no handler may do.
        drop(backtrace::Backtrace::new_unresolved());
        let left_out = left_out();
        *recording() = Some(Recording { samples: Samples::new(), left_out });
        handle(SigHandler::SigAction(on_signal)).map_err(Error::internal)?;
        Ok(Self)
    }

    pub fn stop(self) -> Samples {
        let recorded = recording().take();
        recorded.map_or_else(Samples::new, |recording| recording.samples)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // A signal that is still pending must not end the process.
        if let Err(error) = handle(SigHandler::SigIgn) {
            tracing::warn!(%error, "the handler of SIGPROF can't be taken away");
        }
        // Frees the samples of a profile whose client has gone.
        recording().take();
    }
}

/// Guard of a timer that sends SIGPROF `hz` times in a second of CPU time.
pub struct CpuTimer;

impl CpuTimer {
    pub fn start(hz: u32) -> Self {
        set_timer(Duration::from_secs(1) / hz);
        Self
    }
}

impl Drop for CpuTimer {
    fn drop(&mut self) {
        set_timer(Duration::ZERO);
    }
}

#[expect(unsafe_code, reason = "no safe wrapper of setitimer exists; it reads one struct")]
fn set_timer(every: Duration) {
    let every = libc::timeval { tv_sec: every.as_secs() as _, tv_usec: every.subsec_micros() as _ };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: the struct lives through the call, and null asks for no former value.
    unsafe {
        libc::setitimer(libc::ITIMER_PROF, &raw const timer, ptr::null_mut());
    }
}

#[expect(unsafe_code, reason = "a handler of signals can be set in no other way")]
fn handle(handler: SigHandler) -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_RESTART;
    // SAFETY: the handler allocates nothing, waits for nothing and leaves errno as it was.
    unsafe { sigaction(Signal::SIGPROF, &SigAction::new(handler, flags, SigSet::empty())) }?;
    Ok(())
}

/// Name of the handler's frame: `names` leaves out what is inside of it.
pub const HANDLER: &str = "profiles::sampler::on_signal";

#[inline(never)]
extern "C" fn on_signal(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // A thread is not recorded while the handler of another one runs.
    let guard = match RECORDING.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    if let Some(mut guard) = guard
        && let Some(Recording { samples, left_out }) = guard.as_mut()
        && !interrupted_at(context).is_some_and(|at| left_out.iter().any(|l| l.contains(&at)))
    {
        samples.add(thread_name(), unwind);
    }
    Errno::set_raw(errno);
}

#[expect(unsafe_code, reason = "what takes a lock can't be called in a handler")]
fn unwind(take: &mut dyn FnMut(Frame) -> bool) {
    // SAFETY: not to be called by two threads at once; the caller holds the lock of `RECORDING`.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            take(Frame { ip: frame.ip() as usize, function: frame.symbol_address() as usize })
        });
    }
}

#[expect(unsafe_code, reason = "no wrapper of this call does without allocating")]
fn thread_name() -> ThreadName {
    let mut name = ThreadName::default();
    // SAFETY: the call writes at most so many bytes, and asks for the thread that calls.
    unsafe {
        libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len());
    }
    name
}

/// Address of the interrupted instruction; None on systems without a way to read it.
#[cfg_attr(
    all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(unsafe_code, reason = "the system hands the registers over as a raw pointer")
)]
fn interrupted_at(context: *mut c_void) -> Option<usize> {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // SAFETY: with SA_SIGINFO the third argument of a handler is this struct, or null.
        let context = unsafe { context.cast::<libc::ucontext_t>().as_ref() }?;
        #[cfg(target_arch = "x86_64")]
        return Some(context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize);
        #[cfg(target_arch = "aarch64")]
        return Some(context.uc_mcontext.pc as usize);
    }
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        let _ = context;
        None
    }
}

/// Addresses of `LEFT_OUT`, from lines such as `7f00-7f80 r-xp … /lib/libgcc_s.so.1`.
fn left_out() -> Vec<Range<usize>> {
    // Only Linux has the list.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let range = |line: &str| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        Some(address(start)?..address(end)?)
    };
    let is_left_out = |line: &&str| LEFT_OUT.iter().any(|name| line.contains(name));
    maps.lines().filter(is_left_out).filter_map(range).collect()
}
