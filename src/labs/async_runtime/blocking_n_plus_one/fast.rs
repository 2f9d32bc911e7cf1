//! Fast: reads all posts in one query, and never blocks.

use axum::{Json, extract::State};

use super::PostOut;
use product::{api::state::AppState, entity::posts, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    // FIX: one query reads every post, and the task awaits it, so no thread is blocked.
    let found = posts::Entity::seeded().all(&db).await?;
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}
