//! TODO: the defect in one sentence, and the signal to look at.

use axum::routing::get;
use serde::Serialize;

use product::entity::posts;
use workshop::{Data, Handlers, Lab};

mod fast;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "my-lab",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[],
    data: Data::NONE,
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![("join-all", get(wrong::join_all))],
    },
};

#[derive(Serialize)]
pub struct PostOut {
    id: i64,
    title: String,
}

impl From<posts::Model> for PostOut {
    fn from(posts::Model { id, title, .. }: posts::Model) -> Self {
        Self { id, title }
    }
}
