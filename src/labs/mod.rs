//! The labs: each is a real bottleneck, served beside its fix. The catalogue is in teaching order.
//!
//! To add one: `chokepoint new-lab`. CONTRIBUTING.md lists what follows.

use workshop::Lab;

/// One query and one `thread::sleep` for each post, on an async worker.
pub mod blocking_n_plus_one;
/// A guard of a concurrent map, held while its task waits.
pub mod guard_across_await;
/// A synchronous HTTP client, two layers below the handler.
pub mod hidden_blocking;
/// A password hash and nine reads of one row at each join of a room.
pub mod join_storm;
/// A look-up by lower(title) among 100,000 rows, with no index on it.
pub mod missing_index;
/// Author and comment count of each post, one query at a time.
pub mod n_plus_one;
/// A connection held while a password is hashed and another service asked.
pub mod pool_exhaustion;
/// Retries at two layers, which multiply while the called service is down.
pub mod retry_storm;

pub static CATALOGUE: &[&Lab] = &[
    &blocking_n_plus_one::LAB,
    &hidden_blocking::LAB,
    &guard_across_await::LAB,
    &n_plus_one::LAB,
    &pool_exhaustion::LAB,
    &join_storm::LAB,
    &missing_index::LAB,
    &retry_storm::LAB,
];
