//! Fast: the database joins and counts; one query for any number of posts.

use axum::{Json, extract::State};
use sea_orm::{ColumnTrait, JoinType, QuerySelect, RelationTrait};

use super::PostSummary;
use product::{
    api::state::AppState,
    entity::{comments, posts, users},
    error::Error,
};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostSummary>>, Error> {
    // FIX: one join reads author and comment count of every post in one round trip.
    let out = posts::Entity::seeded()
        .select_only()
        .columns([posts::Column::Id, posts::Column::Title])
        .column_as(users::Column::Username, "author")
        .column_as(comments::Column::Id.count(), "comments")
        .join(JoinType::InnerJoin, posts::Relation::Author.def())
        .join(JoinType::LeftJoin, posts::Relation::Comments.def())
        .group_by(posts::Column::Id)
        .group_by(users::Column::Username)
        .into_model::<PostSummary>()
        .all(&db)
        .await?;
    Ok(Json(out))
}
