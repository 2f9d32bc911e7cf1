//! Fast: reads the news of each reader's shelf, with all ids as one parameter.

use axum::{Json, extract::State};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    Digest, Team,
    articles::{Column, Entity},
    one_parameter::is_in,
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
        // FIX: the list is one parameter, an array in JSON, so a shelf of any length is the same
        // statement: the database prepares it once on each connection.
        let news = Entity::find().filter(Column::IsNews.eq(true)).filter(is_in(&connection, &kept));
        digests.push(Digest { news: news.order_by_asc(Column::Id).all(&connection).await? });
    }
    Ok(Json(digests))
}
