//! Fast: asks for all posts at once, and never blocks.

use axum::{Json, extract::State};

use super::PostOut;
use product::{entity::posts, error::Error, state::AppState};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    // FIX: one query brings every post, and the only wait is awaited.
    let found = posts::Entity::seeded().all(&db).await?;
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}
