//! A cache stampede: an entry expires, and everybody who comes before it is there again loads it.
//! Look at `loads`: how often was the same value made?

use axum::routing::get;

use workshop::{Data, Handlers, Lab, Schema, upstream::Faults};

mod fast;
/// The rush of visitors on an expired entry.
pub mod rush;
/// Turns at the load of a key.
mod single_flight;
mod slow;
/// The rows that a load counts.
mod votes;
/// The cached value, and its load.
pub mod winner;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "cache-stampede",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&winner::LOADS, &rush::STALE_ANSWERS],
    data: Data {
        schema: Schema::Both(include_str!("schema.sql")),
        set_up: Some(|state| Box::pin(async move { votes::fill(&state.db).await })),
        reset: Some(|state| Box::pin(async move { votes::fill(&state.db).await })),
        faults: Some(FAR_AWAY),
        change: Some(votes::change),
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("longer-ttl", get(wrong::longer_ttl)),
            ("jitter", get(wrong::jitter)),
            ("no-ttl", get(wrong::no_ttl)),
            ("lock-alone", get(wrong::lock_alone)),
        ],
    },
};

/// The tag service, far enough away that all visitors of a rush have come before a load ends.
const FAR_AWAY: Faults = Faults {
    seed: 0,
    latency: std::time::Duration::from_millis(50),
    errors: 0,
    stalls: 0,
    connections: None,
    phases: &[],
};
