//! Labs of CPU and memory: work and bytes that nobody asked for. In teaching order.

use workshop::Lab;

pub static LABS: &[&Lab] = &[];
