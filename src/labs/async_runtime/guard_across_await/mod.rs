//! A guard of a concurrent map, held while its task waits: a job alone does well, and a burst of them
//! stops every worker for good. Look at `jobs_lost` and `heartbeats_missed`.

use axum::routing::get;
use serde::Serialize;

use workshop::{Data, Handlers, Lab};

mod fast;
/// The burst of jobs, the wait for them, and the answer.
pub mod refresh;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "guard-across-await",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&refresh::JOBS_LOST, &refresh::CALLS_UNCOUNTED, &refresh::HEARTBEATS_MISSED],
    data: Data::NONE,
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("eight-workers", get(wrong::eight_workers)),
            ("timeout", get(wrong::timed_out)),
            ("try-lock", get(wrong::try_lock)),
        ],
    },
};

#[derive(Serialize)]
pub struct TodoOut {
    id: i64,
    title: String,
    completed: bool,
    tags: Vec<String>,
}
