//! The flagship: an N+1 that also blocks its thread. Look at `switches` and the wall profile.

use std::time::Duration;

use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Serialize;

use product::entity::posts;
use workshop::{Data, Handlers, Lab};

mod fast;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "blocking-n-plus-one",
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
        wrong: vec![
            ("tokio-sleep", get(wrong::tokio_sleep)),
            ("spawn-blocking", get(wrong::spawn_blocking)),
        ],
    },
};

/// Time that a synchronous SDK blocks its caller for each post.
const SDK_WAIT: Duration = Duration::from_millis(20);

#[derive(Serialize)]
pub struct PostOut {
    id: i64,
    author_id: i64,
    slug: String,
    title: String,
    body: String,
    created_at: DateTime<Utc>,
}

impl From<posts::Model> for PostOut {
    fn from(post: posts::Model) -> Self {
        let posts::Model { id, author_id, slug, title, body, created_at } = post;
        Self { id, author_id, slug, title, body, created_at }
    }
}
