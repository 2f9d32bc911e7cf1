//! Slow: one query, and a client library for the tags. Nothing here seems to block.

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{TagClient, TodoOut};
use product::{api::state::AppState, entity::todos, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let todos = todos::Entity::demo().all(&db).await?;
    let client = TagClient::of(&upstream);
    let mut out = Vec::with_capacity(todos.len());
    for todo in todos {
        // BOTTLENECK: the library blocks the worker thread until its answer has come.
        let tags = client.tags_of(todo.id)?;
        out.push(TodoOut::new(todo, tags));
    }
    Ok(Json(out))
}
