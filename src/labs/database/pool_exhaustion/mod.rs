//! Players save their games. Each save proves its player, asks the anti-cheat service, and writes one
//! row; look at what waits while it holds a connection of the pool.

use axum::routing::post;
use observe::cost::own::OwnCounter;
use sea_orm::FromQueryResult;
use serde::Serialize;

use product::input::{Fields, Input};
use workshop::{Data, Handlers, Lab, Schema};

/// Demands on a save: its player, and a fair game.
mod checks;
mod fast;
/// Rows of saves.
mod saves;
mod slow;
mod wrong;
mod yours;

static HELD_WORK: OwnCounter = OwnCounter::new(
    "held_work",
    "Hashes and upstream calls begun while the request held a connection.",
);

pub static LAB: Lab = Lab {
    id: "pool-exhaustion",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&HELD_WORK],
    data: Data {
        schema: Schema::Both(include_str!("schema.sql")),
        set_up: None,
        reset: Some(|state| Box::pin(async move { saves::delete(&state.db).await })),
        faults: None,
        change: Some(|txn| Box::pin(saves::raise_the_best(txn))),
    },
    handlers: |_| Handlers {
        slow: post(slow::handler),
        fast: post(fast::handler),
        yours: post(yours::handler),
        wrong: vec![
            ("bigger-pool", post(wrong::bigger_pool).layer(wrong::pool())),
            ("lower-cost", post(wrong::lower_cost)),
            ("rate-limit", post(wrong::rate_limit).layer(wrong::limiter())),
            ("session-alone", post(wrong::session_alone)),
            ("late-connection-alone", post(wrong::late_connection_alone)),
        ],
    },
};

/// A game to save. Clients send the player's name and password beside their session.
pub struct SaveIn {
    player: String,
    password: String,
    slot: i64,
    level: i64,
    state: String,
}

impl Input for SaveIn {
    fn read(fields: &mut Fields) -> Self {
        let mut number = |field, most| i64::try_from(fields.number(field, 1..=most));
        let (slot, level) = (number("slot", 9), number("level", 1_000));
        Self {
            slot: slot.unwrap_or_default(),
            level: level.unwrap_or_default(),
            player: fields.text("player", 1..=50),
            password: fields.text("password", 1..=72),
            state: fields.text("state", 1..=10_000),
        }
    }
}

/// The save as it is kept, with the best level that its slot has seen.
#[derive(Serialize, FromQueryResult)]
pub struct SaveOut {
    slot: i64,
    level: i64,
    best: i64,
}
