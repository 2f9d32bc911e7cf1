//! Lines per second, averaged over the last ten seconds.

use std::{sync::Mutex, time::Instant};

/// Seconds over which the rate is averaged.
const SECONDS: usize = 10;

/// Lines by the second in which they were written, counted from the start.
pub struct Rate {
    started: Instant,
    written: Mutex<[(u64, u64); SECONDS]>,
}

impl Rate {
    pub fn new() -> Self {
        Self { started: Instant::now(), written: Mutex::default() }
    }

    pub fn add(&self, lines: u64) {
        let now = self.started.elapsed().as_secs();
        let Ok(mut written) = self.written.lock() else { return };
        // Never out of bounds, and the compiler can tell.
        let slot = &mut written[now as usize % SECONDS];
        *slot = if slot.0 == now { (now, slot.1 + lines) } else { (now, lines) };
    }

    pub fn per_second(&self) -> f64 {
        let now = self.started.elapsed().as_secs();
        let Ok(written) = self.written.lock() else { return 0.0 };
        let is_recent = |second: u64| now - second.min(now) < SECONDS as u64;
        let recent: u64 = written.iter().filter(|(s, _)| is_recent(*s)).map(|(_, n)| n).sum();
        recent as f64 / SECONDS as f64
    }
}
