//! Sends SIGPROF to every thread in turn, asleep or not, to sample by wall-clock time.

#[cfg(target_os = "linux")]
pub use linux::signal_every_thread;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        thread::sleep,
        time::{Duration, Instant},
    };

    use super::super::Window;
    use crate::error::Error;

    /// Pause between two signals: a thread is not recorded while the handler of another one runs.
    const PAUSE: Duration = Duration::from_micros(100);

    /// Signals every thread but this one, in rounds. Returns the rounds per second.
    #[expect(clippy::disallowed_methods, reason = "a blocking thread that keeps time by sleeping")]
    pub fn signal_every_thread(window: &Window, hz: u32) -> Result<f64, Error> {
        let own = nix::unistd::gettid().as_raw();
        let round = Duration::from_secs(1) / hz;
        let started = Instant::now();
        let mut rounds = 0_u32;
        while started.elapsed() < window.duration {
            let round_started = Instant::now();
            for thread in threads().map_err(Error::internal)? {
                if thread != own {
                    signal(thread);
                    sleep(PAUSE);
                }
            }
            rounds += 1;
            window.wait(round.saturating_sub(round_started.elapsed()))?;
        }
        Ok(f64::from(rounds) / started.elapsed().as_secs_f64())
    }

    fn threads() -> std::io::Result<Vec<i32>> {
        let id = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
        let entries = std::fs::read_dir("/proc/self/task")?;
        Ok(entries.filter_map(|entry| id(entry.ok()?)).collect())
    }

    /// Signals a thread; one that has ended meanwhile is no error.
    #[expect(unsafe_code, reason = "no safe wrapper of tgkill exists; it takes three integers")]
    fn signal(thread: i32) {
        // SAFETY: tgkill reads no memory of ours. SIGPROF has a handler while a sampler lives,
        // and the caller holds one.
        unsafe {
            libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGPROF);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub fn signal_every_thread(_: &super::Window, _: u32) -> Result<f64, crate::error::Error> {
    Err(crate::error::Error::NotSupported("wall-clock profiles need Linux".to_owned()))
}
