//! The fix that people try first: the round trips overlap, but all of them remain.

use axum::{Json, extract::State};
use futures_util::future::try_join_all;
use sea_orm::{EntityTrait, ModelTrait, PaginatorTrait};

use super::PostSummary;
use product::{
    api::state::AppState,
    db::Db,
    entity::{comments, posts, users},
    error::Error,
};

/// Sends all queries at once: each request now needs 100 connections of a pool of 20.
pub async fn join_all(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Vec<PostSummary>>, Error> {
    let posts = posts::Entity::seeded().all(&db).await?;
    Ok(Json(try_join_all(posts.into_iter().map(|post| summary(post, &db))).await?))
}

async fn summary(post: posts::Model, db: &Db) -> Result<PostSummary, Error> {
    let author = users::Entity::find_by_id(post.author_id).one(db).await?;
    let comments = post.find_related(comments::Entity).count(db).await?;
    Ok(PostSummary {
        id: post.id,
        title: post.title,
        author: author.map(|author| author.username).unwrap_or_default(),
        comments: i64::try_from(comments).unwrap_or(i64::MAX),
    })
}
