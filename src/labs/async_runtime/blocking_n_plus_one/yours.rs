//! Yours: starts as slow does. Edit and save it; `chokepoint watch blocking-n-plus-one` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

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
        std::thread::sleep(SDK_WAIT);
    }
    Ok(Json(found.into_iter().map(PostOut::from).collect()))
}
