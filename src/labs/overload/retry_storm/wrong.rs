//! The fixes that people try first: the service is still called as often, or still by everybody.

use std::time::Duration;

use axum::{Extension, Json, extract::State};
use tokio::time::sleep;
use workshop::upstream::Upstream;

use super::{TagClient, TodoCard, newest};
use product::{api::state::AppState, error::Error};

/// Asks ten times instead of five, since five did not help: 50 calls.
pub async fn more_retries(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<TodoCard>, Error> {
    let todo = newest(&db).await?;
    let tags = tags_of(todo.id, &TagClient::of(&upstream), 10, Duration::ZERO).await?;
    Ok(Json(TodoCard::new(todo, tags)))
}

/// Waits 20 ms before it asks again: the 25 calls come later, and all of them come.
pub async fn longer_pause(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<TodoCard>, Error> {
    let todo = newest(&db).await?;
    let pause = Duration::from_millis(20);
    let tags = tags_of(todo.id, &TagClient::of(&upstream), 5, pause).await?;
    Ok(Json(TodoCard::new(todo, tags)))
}

/// Leaves the retries to the client: each request still makes 5 calls, however many fail.
pub async fn one_layer(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<TodoCard>, Error> {
    let todo = newest(&db).await?;
    let tags = TagClient::of(&upstream).tags_of(todo.id).await?;
    Ok(Json(TodoCard::new(todo, tags)))
}

async fn tags_of(
    todo_id: i64,
    client: &TagClient,
    attempts: u32,
    pause: Duration,
) -> Result<Vec<String>, Error> {
    let mut attempt = 1;
    loop {
        match client.tags_of(todo_id).await {
            Err(_) if attempt < attempts => {
                sleep(pause).await;
                attempt += 1;
            }
            answered => return answered,
        }
    }
}
