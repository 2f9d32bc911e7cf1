//! TODO: the fixes that people try first, one function each, and what stays wrong.

use axum::{Json, extract::State};
use futures_util::future::try_join_all;
use sea_orm::{EntityTrait, QuerySelect};

use super::PostOut;
use product::{api::state::AppState, entity::posts, error::Error};

/// TODO: the idea, and the number that refutes it.
pub async fn join_all(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    let ids: Vec<i64> = posts::Entity::seeded()
        .select_only()
        .column(posts::Column::Id)
        .into_tuple()
        .all(&db)
        .await?;
    let found = ids.into_iter().map(|id| posts::Entity::find_by_id(id).one(&db));
    let found = try_join_all(found).await?;
    Ok(Json(found.into_iter().flatten().map(PostOut::from).collect()))
}
