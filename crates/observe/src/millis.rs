//! Times in whole milliseconds, which fit into an atomic.

use std::time::{Duration, Instant};

/// Whole milliseconds of a time.
pub fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Clock that counts milliseconds from a moment, which is 1: an atomic that holds 0 means never.
pub struct MillisClock(pub Instant);

impl MillisClock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now(&self) -> u64 {
        whole_millis(self.0.elapsed()).saturating_add(1)
    }
}
