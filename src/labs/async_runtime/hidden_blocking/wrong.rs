//! The fixes that people try first: two free the worker, one does not, and no answer comes sooner.

use axum::{Extension, Json, extract::State};
use tokio::task::{block_in_place, spawn_blocking};
use workshop::upstream::Upstream;

use super::{TagClient, TodoOut};
use product::{api::state::AppState, entity::todos, error::Error};

/// Calls the library on the blocking pool: still 100 waits, one after the other.
pub async fn on_the_blocking_pool(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let todos = todos::Entity::demo().all(&db).await?;
    let client = TagClient::of(&upstream);
    let out = spawn_blocking(move || with_tags(&client, todos)).await.map_err(Error::internal)?;
    Ok(Json(out?))
}

/// Hands the worker's other tasks to a new thread first; this one is blocked all the same.
pub async fn in_place(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let todos = todos::Entity::demo().all(&db).await?;
    let client = TagClient::of(&upstream);
    Ok(Json(block_in_place(|| with_tags(&client, todos))?))
}

/// Asks with an async client: nothing blocks, and 100 calls still come one after the other.
pub async fn async_client(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let todos = todos::Entity::demo().all(&db).await?;
    let mut out = Vec::with_capacity(todos.len());
    for todo in todos {
        let tags = upstream.tags_of(todo.id).await?;
        out.push(TodoOut::new(todo, tags));
    }
    Ok(Json(out))
}

fn with_tags(client: &TagClient, todos: Vec<todos::Model>) -> Result<Vec<TodoOut>, Error> {
    let with_tags = |todo: todos::Model| {
        let tags = client.tags_of(todo.id)?;
        Ok(TodoOut::new(todo, tags))
    };
    todos.into_iter().map(with_tags).collect()
}
