//! Slow: TODO: what it does, in one sentence; code that somebody would really write.

use axum::{Json, extract::State};
use sea_orm::{EntityTrait, QuerySelect};

use super::PostOut;
use product::{api::state::AppState, entity::posts, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    let ids: Vec<i64> = posts::Entity::seeded()
        .select_only()
        .column(posts::Column::Id)
        .into_tuple()
        .all(&db)
        .await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        // BOTTLENECK: TODO: cause and consequence, in one sentence.
        found.extend(posts::Entity::find_by_id(id).one(&db).await?);
    }
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}
