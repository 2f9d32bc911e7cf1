//! A link to a room is shared, and all who see it join at once. Look at what one join costs, and
//! multiply.

use axum::{Json, http::StatusCode, routing::post};
use serde::Serialize;

use product::{
    error::Error,
    input::{Fields, Input},
};
use workshop::{Data, Handlers, Lab, Schema};

mod fast;
/// Who is in which room.
mod guests;
/// Rooms, and their rows.
mod rooms;
/// House rules.
mod rules;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "join-storm",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[],
    data: Data {
        schema: Schema::Both(include_str!("schema.sql")),
        set_up: Some(|state| Box::pin(async move { rooms::make(&state.db).await })),
        reset: Some(|state| Box::pin(async move { rooms::make_anew(&state.db).await })),
        faults: None,
        change: Some(|txn| Box::pin(rooms::change_the_topic(txn))),
    },
    handlers: |_| Handlers {
        slow: post(slow::handler),
        fast: post(fast::handler),
        yours: post(yours::handler),
        wrong: vec![
            ("lower-cost", post(wrong::lower_cost)),
            ("bigger-pool", post(wrong::bigger_pool).layer(wrong::pool())),
            ("session-alone", post(wrong::session_alone)),
            ("one-read-alone", post(wrong::one_read_alone)),
        ],
    },
};

/// A guest at the door. Clients send name and password beside their session.
pub struct JoinIn {
    room: String,
    guest: String,
    password: String,
    nickname: String,
    language: String,
    age: u64,
    level: u64,
}

impl Input for JoinIn {
    fn read(fields: &mut Fields) -> Self {
        Self {
            room: fields.text("room", 1..=50),
            guest: fields.text("guest", 1..=50),
            password: fields.text("password", 1..=72),
            nickname: fields.words("nickname", 1..=50),
            language: fields.text("language", 2..=2),
            age: fields.number("age", 1..=150),
            level: fields.number("level", 1..=1_000),
        }
    }
}

/// The room, as a guest sees it after the join.
#[derive(Serialize)]
pub struct JoinOut {
    room: String,
    topic: String,
    host: String,
}

pub type Joined = Result<(StatusCode, Json<JoinOut>), Error>;

fn joined(room: rooms::Model) -> Joined {
    let rooms::Model { title, topic, host, .. } = room;
    Ok((StatusCode::CREATED, Json(JoinOut { room: title, topic, host })))
}
