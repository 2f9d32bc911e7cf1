//! Yours: starts as slow does. Edit and save it; `chokepoint watch retry-storm` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{TagClient, TodoCard, newest};
use product::{api::state::AppState, error::Error};

/// Times that the tags are asked for, at most.
const ATTEMPTS: u32 = 5;

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<TodoCard>, Error> {
    let todo = newest(&db).await?;
    let client = TagClient::of(&upstream);
    let mut attempt = 1;
    let tags = loop {
        match client.tags_of(todo.id).await {
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            answered => break answered?,
        }
    };
    Ok(Json(TodoCard::new(todo, tags)))
}
