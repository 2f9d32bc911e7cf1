//! Yours: starts as slow does. Edit and save it; `chokepoint watch statement-churn` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Json, extract::State};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    Digest, Team,
    articles::{Column, Entity},
    shelves,
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Team(team): Team,
) -> Result<Json<Vec<Digest>>, Error> {
    let connection = db.acquire().await?;
    let mut digests = Vec::new();
    for kept in shelves::of(&connection, team).await? {
        let news = Entity::find().filter(Column::IsNews.eq(true)).filter(Column::Id.is_in(kept));
        digests.push(Digest { news: news.order_by_asc(Column::Id).all(&connection).await? });
    }
    Ok(Json(digests))
}
