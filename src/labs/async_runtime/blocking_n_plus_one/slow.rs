//! Slow: one query for each post, and a sleep on the worker thread in between.
#![expect(
    clippy::disallowed_methods,
    reason = "this lab shows what thread::sleep does to a worker"
)]

use axum::{Json, extract::State};
use sea_orm::{EntityTrait, QuerySelect};

use super::{PostOut, SDK_WAIT};
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
        found.extend(posts::Entity::find_by_id(id).one(&db).await?);
        // BOTTLENECK: the sleep blocks the worker thread, so no other request can run on it.
        std::thread::sleep(SDK_WAIT);
    }
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}
