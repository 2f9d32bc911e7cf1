//! The fix that people try first: it frees the worker, but no answer comes sooner.

use axum::{Extension, Json, extract::State};

use super::{TagClient, TodoOut};
use product::{api::state::AppState, entity::todos, error::Error};

/// Calls the library on the blocking pool: still 100 waits, one after the other.
pub async fn spawn_blocking(
    State(AppState { db, .. }): State<AppState>,
    Extension(client): Extension<TagClient>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let todos = todos::Entity::demo().all(&db).await?;
    let call = move || {
        let with_tags =
            |todo: todos::Model| Ok(TodoOut::new(todo.clone(), client.tags_of(todo.id)?));
        todos.into_iter().map(with_tags).collect::<Result<_, Error>>()
    };
    Ok(Json(tokio::task::spawn_blocking(call).await.map_err(Error::internal)??))
}
