//! A list of ids, of another length for each reader, spelled out in the text of its query. Nothing
//! blocks, and both sides make as many queries; look at `statements_prepared`.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{extract::FromRequestParts, http::request::Parts, routing::get};
use serde::Serialize;

use product::{db::STATEMENTS_PREPARED, error::Error, input::params};
use workshop::{Data, Handlers, Lab, Schema};

/// Articles.
mod articles;
mod fast;
/// A list in one parameter.
mod one_parameter;
/// Articles that a reader keeps, and the rows of both tables.
mod shelves;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "statement-churn",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&STATEMENTS_PREPARED],
    data: Data {
        schema: Schema::Both(include_str!("schema.sql")),
        set_up: Some(|state| Box::pin(async move { shelves::fill(&state.db).await })),
        reset: Some(|state| Box::pin(async move { shelves::fill(&state.db).await })),
        faults: None,
        change: Some(shelves::change),
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![("literals", get(wrong::literals)), ("all-at-once", get(wrong::all_at_once))],
    },
};

/// Whose digests are made, a team of ten readers: `?team=seven`. Any name means one of 100 teams.
pub struct Team(u64);

impl<S: Send + Sync> FromRequestParts<S> for Team {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut params = params(&parts.uri)?;
        let name = params.required_text("team", "a name", |_| true);
        params.finish()?;
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Ok(Self(hasher.finish() % shelves::TEAMS))
    }
}

/// What a reader gets.
#[derive(Serialize)]
pub struct Digest {
    news: Vec<articles::Model>,
}
