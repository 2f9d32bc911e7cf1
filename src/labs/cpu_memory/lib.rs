//! Labs of CPU and memory: work and bytes that nobody asked for. In teaching order.

use workshop::Lab;

/// A catalogue that each layer copies whole, for a page of it.
pub mod clone_storm;

pub static LABS: &[&Lab] = &[&clone_storm::LAB];
