//! Fixes that people try first. Each removes one symptom; the numbers show which one stays.
#![expect(clippy::disallowed_methods, reason = "one of these wrong fixes keeps the blocking call")]

use axum::{Json, extract::State};
use sea_orm::{EntityTrait, QuerySelect};

use super::{PostOut, SDK_WAIT};
use product::{api::state::AppState, db::Db, entity::posts, error::Error};

/// Awaits the wait: the worker is free, but the visitor still waits 2 s.
pub async fn tokio_sleep(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    let mut found = Vec::new();
    for id in ids(&db).await? {
        found.extend(posts::Entity::find_by_id(id).one(&db).await?);
        tokio::time::sleep(SDK_WAIT).await;
    }
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}

/// Moves the wait to the blocking pool: now it blocks a thread of that pool.
pub async fn spawn_blocking(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostOut>>, Error> {
    let mut found = Vec::new();
    for id in ids(&db).await? {
        found.extend(posts::Entity::find_by_id(id).one(&db).await?);
        tokio::task::spawn_blocking(|| std::thread::sleep(SDK_WAIT))
            .await
            .map_err(Error::internal)?;
    }
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}

async fn ids(db: &Db) -> Result<Vec<i64>, Error> {
    let ids = posts::Entity::seeded().select_only().column(posts::Column::Id).into_tuple();
    Ok(ids.all(db).await?)
}
