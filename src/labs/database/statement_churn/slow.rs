//! Slow: reads the news of each reader's shelf, with each id as a parameter of its own.

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
        // BOTTLENECK: the text has a parameter for each id, so a shelf of another length is another
        // statement: the database prepares it, and it takes the place of one that was prepared.
        let news = Entity::find().filter(Column::IsNews.eq(true)).filter(Column::Id.is_in(kept));
        digests.push(Digest { news: news.order_by_asc(Column::Id).all(&connection).await? });
    }
    Ok(Json(digests))
}
