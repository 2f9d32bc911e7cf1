//! Labs of the cache: what happens when an entry is missing. In teaching order.

use workshop::Lab;

pub static LABS: &[&Lab] = &[];
