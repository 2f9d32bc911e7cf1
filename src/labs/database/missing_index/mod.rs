//! A look-up whose condition no index can answer: it is one query and returns three rows. Look at
//! `rows_visited`. Each variant asks a table of its own, with the same rows.

use axum::{extract::FromRequestParts, http::request::Parts, routing::get};
use sea_orm::FromQueryResult;
use serde::Serialize;

use product::{
    db::{ROWS_VISITED, VM_STEPS},
    error::Error,
    input::params,
};
use workshop::{Data, Handlers, Lab, Schema};

mod fast;
/// The rows of the tables.
mod rows;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "missing-index",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&ROWS_VISITED, &VM_STEPS],
    data: Data {
        schema: Schema::Both(concat!(include_str!("schema.sql"), include_str!("yours.sql"))),
        set_up: Some(|state| Box::pin(async move { rows::fill(&state.db).await })),
        reset: Some(|state| Box::pin(async move { rows::fill(&state.db).await })),
        faults: None,
        change: Some(rows::change),
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![("plain-index", get(wrong::plain_index))],
    },
};

/// The title that is asked for, in any case: `?title=chokepoint`.
pub struct Wanted {
    title: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut params = params(&parts.uri)?;
        // PostgreSQL takes no text with a NUL.
        let is_right = |title: &str| !title.contains('\0');
        let title = params.required_text("title", "a text without NUL", is_right);
        params.finish()?;
        Ok(Self { title })
    }
}

#[derive(Serialize, FromQueryResult)]
pub struct Book {
    id: i32,
    title: String,
    author: String,
}
