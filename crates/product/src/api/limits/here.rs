//! Rate limits counted in this process (GCRA, by governor): a caller gets a spent quota back bit by
//! bit, not all at once when a window ends.

use std::time::Duration;

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use metrics::gauge;

use super::Caller;
use crate::metrics as names;
use crate::{config::Limit, quota::Quota};

/// Interval at which idle callers are forgotten. A caller costs 24 bytes, and one that sent a
/// single request with a token is idle after 10 ms, so memory holds the callers of this time.
pub const FORGET_EVERY: Duration = Duration::from_secs(10);

type Limiter =
    RateLimiter<Caller, DefaultKeyedStateStore<Caller>, DefaultClock, StateInformationMiddleware>;

pub struct Counts {
    limit: Limit,
    limiter: Limiter,
}

impl Counts {
    pub fn new(limit: Limit) -> Self {
        // `with_period` is None only for an interval of 0, and no limit has that.
        let quota = governor::Quota::with_period(limit.interval())
            .unwrap_or_else(|| governor::Quota::per_second(limit.max))
            .allow_burst(limit.max);
        Self { limit, limiter: RateLimiter::keyed(quota).with_middleware() }
    }

    pub fn count(&self, caller: Caller) -> Quota {
        match self.limiter.check_key(&caller) {
            Ok(state) => Quota::left(self.limit, state.remaining_burst_capacity()),
            Err(not_until) => {
                Quota::spent(self.limit, not_until.wait_time_from(self.limiter.clock().now()))
            }
        }
    }

    pub fn forget_the_idle(&self, name: &'static str) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        gauge!(names::RATE_LIMIT_KEYS, "limit" => name).set(self.limiter.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn counts(max: u32, per: Duration) -> Counts {
        Counts::new(Limit { max: NonZeroU32::new(max).unwrap(), per })
    }

    #[test]
    fn the_quota_is_spent_one_by_one_and_by_caller() {
        let counts = counts(3, Duration::from_secs(3_600));
        let left = |caller| counts.count(caller).remaining;
        assert_eq!([left([1; 16]), left([1; 16]), left([1; 16])], [2, 1, 0]);
        let refused = counts.count([1; 16]);
        let wait = refused.retry_after.unwrap();
        assert!(wait > Duration::from_secs(1_190) && wait <= Duration::from_secs(1_200));
        assert_eq!(counts.count([2; 16]).retry_after, None);
    }

    #[test]
    fn callers_with_their_whole_quota_are_forgotten() {
        let counts = counts(1_000_000_000, Duration::from_secs(1));
        for n in 0..1_000_u64 {
            let mut caller = Caller::default();
            caller[..8].copy_from_slice(&n.to_le_bytes());
            counts.count(caller);
        }
        // A billionth of a second later they have their whole quota again.
        counts.forget_the_idle("test");
        assert_eq!(counts.limiter.len(), 0);
    }
}
