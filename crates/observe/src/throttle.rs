//! Throttle: allows a repeated log message at most once in an interval.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::millis::whole_millis;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub struct Throttle {
    every: Duration,
    /// Earliest time of the next message, in ms since the start.
    next: AtomicU64,
}

impl Throttle {
    pub const fn every(every: Duration) -> Self {
        Self { every, next: AtomicU64::new(0) }
    }

    /// True if the message may be logged now. Of several callers at once, one gets true.
    pub fn allows(&self) -> bool {
        self.may_say_at(START.elapsed())
    }

    fn may_say_at(&self, now: Duration) -> bool {
        let (next, after) = (self.next.load(Relaxed), whole_millis(now + self.every));
        whole_millis(now) >= next
            && self.next.compare_exchange(next, after, Relaxed, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_allowed_once_in_each_interval() {
        let seldom = Throttle::every(Duration::from_secs(1));
        let allowed =
            (0..3_000).step_by(100).filter(|n| seldom.may_say_at(Duration::from_millis(*n)));
        assert_eq!(allowed.collect::<Vec<_>>(), [0, 1_000, 2_000]);
    }
}
