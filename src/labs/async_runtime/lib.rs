//! Labs of the async runtime: who holds a worker while others wait. In teaching order.

use workshop::Lab;

/// One query and one `thread::sleep` for each post, on an async worker.
pub mod blocking_n_plus_one;
/// A guard of a concurrent map, held while its task waits.
pub mod guard_across_await;
/// A synchronous HTTP client, two layers below the handler.
pub mod hidden_blocking;

pub static LABS: &[&Lab] =
    &[&blocking_n_plus_one::LAB, &hidden_blocking::LAB, &guard_across_await::LAB];
