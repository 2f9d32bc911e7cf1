//! Labs of observability itself: what logs, spans and metrics cost. In teaching order.

use workshop::Lab;

pub static LABS: &[&Lab] = &[];
