//! The classic N+1: author and comment count of each post, one query at a time. Nothing blocks, so
//! the threads look good; look at `queries`.

use axum::routing::get;
use sea_orm::FromQueryResult;
use serde::Serialize;

use workshop::{Data, Handlers, Lab};

mod fast;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "n-plus-one",
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

#[derive(Serialize, FromQueryResult)]
pub struct PostSummary {
    id: i64,
    title: String,
    author: String,
    comments: i64,
}
