//! The same bottleneck, hidden: a client library blocks, two layers below the handler. The query
//! count looks good; look at `switches`, and find the name in the wall profile.

use axum::routing::get;
use serde::Serialize;

use product::entity::todos;
use workshop::{Data, Handlers, Lab};

mod fast;
mod slow;
mod tag_client;
mod wrong;
mod yours;

use tag_client::TagClient;

pub static LAB: Lab = Lab {
    id: "hidden-blocking",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[],
    data: Data::NONE,
    handlers: |_| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("spawn-blocking", get(wrong::on_the_blocking_pool)),
            ("block-in-place", get(wrong::in_place)),
            ("async-client", get(wrong::async_client)),
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

impl TodoOut {
    fn new(todo: todos::Model, tags: Vec<String>) -> Self {
        let todos::Model { id, title, completed, .. } = todo;
        Self { id, title, completed, tags }
    }
}
