//! The retries that all requests together may make, and the wait before each.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// Requests that pay for one retry. So retries add a tenth to the calls, however many of them fail.
const REQUESTS_PER_RETRY: u32 = 10;

/// Most retries that are saved up. A start has as many, so that one failure then does no harm.
const SAVED: u32 = 5;

const FULL: u32 = SAVED * REQUESTS_PER_RETRY;

/// Longest wait before the first retry. It doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Budget of retries. Its balance is counted in requests that have paid in.
pub struct RetryBudget(AtomicU32);

impl RetryBudget {
    pub const fn full() -> Self {
        Self(AtomicU32::new(FULL))
    }

    /// Pays in the part of one request.
    pub fn deposit(&self) {
        let paid = |balance: u32| (balance < FULL).then_some(balance + 1);
        // A full budget takes no more.
        let _ = self.0.fetch_update(Relaxed, Relaxed, paid);
    }

    /// Takes out one retry. False if there is none.
    pub fn withdraw(&self) -> bool {
        let taken = |balance: u32| balance.checked_sub(REQUESTS_PER_RETRY);
        self.0.fetch_update(Relaxed, Relaxed, taken).is_ok()
    }

    pub fn refill(&self) {
        self.0.store(FULL, Relaxed);
    }
}

/// Wait after an attempt, from 1 on. Anything from nothing to the longest: clients that failed
/// together don't come back together.
pub fn backoff(attempt: u32) -> Duration {
    let longest = FIRST_WAIT * 2_u32.pow(attempt.saturating_sub(1));
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_requests_pay_for_a_retry_and_no_more_than_five_are_saved() {
        let budget = RetryBudget::full();
        let withdrawn = || (0..).take_while(|_| budget.withdraw()).count();
        budget.deposit();
        assert_eq!(withdrawn(), 5);
        for (requests, retries) in [(9, 0), (10, 1), (35, 4), (1_000, 5)] {
            (0..requests).for_each(|_| budget.deposit());
            assert_eq!(withdrawn(), retries, "after {requests} requests more");
        }
    }

    #[test]
    fn waits_are_random_up_to_twice_as_long_each_time() {
        for (attempt, longest) in [(1, 50), (2, 100), (3, 200)] {
            let waits: Vec<_> = (0..100).map(|_| backoff(attempt)).collect();
            assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(longest)), "{waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
        }
    }
}
