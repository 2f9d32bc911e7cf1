//! Labs of overload: what a service does to others, and they to it. In teaching order.

use workshop::Lab;

/// Retries at two layers, which multiply while the called service is down.
pub mod retry_storm;

pub static LABS: &[&Lab] = &[&retry_storm::LAB];
