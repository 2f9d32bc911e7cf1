//! Grades of solutions that are not fast: right ones must pass, cheats must not.
//!
//! A binary of its own, because grades are on the totals of the process: tests beside these would
//! add to them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

/// Storage of this binary's tests.
#[path = "../it/backends.rs"]
mod backends;
/// A server in this process.
#[expect(dead_code, reason = "the tests of `it` use more of it")]
#[path = "../it/support.rs"]
mod support;

/// Solutions of blocking-n-plus-one.
mod blocking_n_plus_one;
/// Bounds, and the words of a refusal.
mod bounds;
/// Solutions of cache-stampede.
mod cache_stampede;
/// Solutions of chatty-logs.
mod chatty_logs;
/// Solutions of clone-storm.
mod clone_storm;
/// Grades a solution.
mod grade;
/// Solutions of guard-across-await.
mod guard_across_await;
/// Solutions of hidden-blocking.
mod hidden_blocking;
/// Solutions of join-storm.
mod join_storm;
/// Solutions of missing-index.
mod missing_index;
/// Solutions of n-plus-one.
mod n_plus_one;
/// Solutions of pool-exhaustion.
mod pool_exhaustion;
/// Solutions of retry-storm.
mod retry_storm;
/// Solutions of statement-churn.
mod statement_churn;
