//! Labs of observability itself: what logs, spans and metrics cost. In teaching order.

use workshop::Lab;

/// A log line for each row, and a wait for the disk after each line.
pub mod chatty_logs;

pub static LABS: &[&Lab] = &[&chatty_logs::LAB];
