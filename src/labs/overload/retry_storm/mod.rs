//! A retry storm: the client of a service repeats its calls, and so does the handler above it. While
//! the service is up both look prudent. While it is down, look at `upstream_calls`.

use std::time::Duration;

use axum::routing::get;
use product::{db::Db, entity::todos, error::Error};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use workshop::{
    Data, Handlers, Lab,
    upstream::{Faults, Phase},
};

mod fast;
mod retry_budget;
mod slow;
mod tag_client;
mod wrong;
mod yours;

use tag_client::TagClient;

pub static LAB: Lab = Lab {
    id: "retry-storm",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[],
    data: Data {
        faults: Some(BAD_DAY),
        reset: Some(|_state| {
            Box::pin(async {
                fast::BUDGET.refill();
                Ok(())
            })
        }),
        ..Data::NONE
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("more-retries", get(wrong::more_retries)),
            ("longer-pause", get(wrong::longer_pause)),
            ("one-layer", get(wrong::one_layer)),
        ],
    },
};

/// The tag service on a bad day, for each variant by itself. The first three requests show all
/// there is: it is down, one call stumbles, it is up. Then it is down for a while.
const BAD_DAY: Faults = Faults {
    seed: 25,
    latency: Duration::from_millis(5),
    errors: 0,
    stalls: 0,
    connections: None,
    phases: &[Phase::Down(1), Phase::Stumbles(1), Phase::Up(8), Phase::Down(60), Phase::Up(30)],
};

/// A todo as a card on the front page.
#[derive(Serialize)]
pub struct TodoCard {
    id: i64,
    title: String,
    tags: Vec<String>,
}

impl TodoCard {
    fn new(todo: todos::Model, tags: Vec<String>) -> Self {
        Self { id: todo.id, title: todo.title, tags }
    }
}

/// The newest of the demo todos.
async fn newest(db: &Db) -> Result<todos::Model, Error> {
    let demo = todos::Entity::find().filter(todos::Column::UserId.eq(todos::DEMO_OWNER_ID));
    let newest = demo.order_by_desc(todos::Column::Id).one(db).await?;
    newest.ok_or_else(|| Error::NotFound("there is no todo yet".to_owned()))
}
