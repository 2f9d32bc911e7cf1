//! Slow: two more queries for each post, one for its author and one to count its comments.

use axum::{Json, extract::State};
use sea_orm::{EntityTrait, ModelTrait, PaginatorTrait};

use super::PostSummary;
use product::{
    api::state::AppState,
    entity::{comments, posts, users},
    error::Error,
};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostSummary>>, Error> {
    let mut out = Vec::new();
    for post in posts::Entity::seeded().all(&db).await? {
        // BOTTLENECK: two queries for each post, so the visitor waits for 201 round trips.
        let author = users::Entity::find_by_id(post.author_id).one(&db).await?;
        let comments = post.find_related(comments::Entity).count(&db).await?;
        out.push(PostSummary {
            id: post.id,
            title: post.title,
            author: author.map(|author| author.username).unwrap_or_default(),
            comments: i64::try_from(comments).unwrap_or(i64::MAX),
        });
    }
    Ok(Json(out))
}
