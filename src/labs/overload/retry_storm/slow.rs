//! Slow: the newest todo with its tags. If the tag service fails, the handler asks it again.

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
            // BOTTLENECK: the client retries as well, so a service that is down gets 25 calls.
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            answered => break answered?,
        }
    };
    Ok(Json(TodoCard::new(todo, tags)))
}
