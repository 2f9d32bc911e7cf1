//! Labs of the cache: what happens when an entry is missing. In teaching order.

use workshop::Lab;

/// A hundred visitors load the same expired entry, each for itself.
pub mod cache_stampede;

pub static LABS: &[&Lab] = &[&cache_stampede::LAB];
