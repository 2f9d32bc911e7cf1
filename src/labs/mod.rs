//! The labs: each is a real bottleneck, served beside its fix. The catalogue is in teaching order.
//!
//! To add one: `chokepoint new-lab`. CONTRIBUTING.md lists what follows.

use workshop::Lab;

/// One query and one `thread::sleep` for each post, on an async worker.
pub mod blocking_n_plus_one;
/// A synchronous HTTP client, two layers below the handler.
pub mod hidden_blocking;
/// Author and comment count of each post, one query at a time.
pub mod n_plus_one;

pub static CATALOGUE: &[&Lab] =
    &[&blocking_n_plus_one::LAB, &hidden_blocking::LAB, &n_plus_one::LAB];
