//! Signals whose default would end the process, and their effects here.
//!
//! | signal | here |
//! |---|---|
//! | INT, TERM, and HUP unless it was ignored at the start (`nohup`) | stops; a second one ends it at once |
//! | USR1, USR2, ALRM, VTALRM, PROF, IO, PWR, STKFLT, PIPE, the real-time ones | nothing: nobody means to end a server with them |
//! | XFSZ | nothing: the write that was too long fails, and is answered as a full disk is |
//! | QUIT, ABRT, KILL, XCPU | ends it at once, as the sender intends |
//! | SEGV, BUS, ILL, FPE, TRAP, SYS | ends it at once: sent by the kernel, they are bugs |

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that stop the server. They are caught from `new` on, so an early one is not lost.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        for number in meant_for_nothing() {
            // The handler outlives its `Signal`. Unlike an ignored signal it is not inherited. It
            // fails for a reserved one: valgrind keeps the last real-time signal.
            let _ = signal(SignalKind::from_raw(number));
        }
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: hang_up_stops().then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    pub async fn next(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hung_up => {}
        }
    }
}

fn meant_for_nothing() -> Vec<i32> {
    let mut numbers = vec![
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGIO,
        libc::SIGPIPE,
        libc::SIGXFSZ,
    ];
    #[cfg(target_os = "linux")]
    {
        numbers.extend([libc::SIGPWR, libc::SIGSTKFLT]);
        numbers.extend(libc::SIGRTMIN()..=libc::SIGRTMAX());
    }
    numbers
}

/// True unless HUP is ignored, as under `nohup`, whose user wants the server to go on.
#[cfg(target_os = "linux")]
fn hang_up_stops() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored & (1 << (libc::SIGHUP - 1)) == 0
}

/// Leaves HUP to its default, which ends the process unless the signal is ignored.
#[cfg(not(target_os = "linux"))]
fn hang_up_stops() -> bool {
    false
}
