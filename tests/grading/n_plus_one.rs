//! Solutions of n-plus-one.

use std::collections::HashMap;

use axum::{Json, extract::State, routing::get};
use database::n_plus_one::LAB;
use product::{
    api::state::AppState,
    db::Db,
    entity::{comments, posts, users},
    error::Error,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, ModelTrait,
    PaginatorTrait, QuerySelect, RelationTrait, Statement,
};
use serde::Serialize;
use serde_json::Value;
use workshop::Lab;

use crate::grade::{Constant, assert_refused, grade, with_yours};

#[derive(Serialize, FromQueryResult)]
struct PostSummary {
    id: i64,
    title: String,
    author: String,
    comments: i64,
}

type Answer = Result<Json<Vec<PostSummary>>, Error>;

/// Posts with their authors, and the counts of their comments: two queries.
async fn in_two(db: &Db) -> Result<Vec<PostSummary>, Error> {
    let found = posts::Entity::seeded().find_also_related(users::Entity).all(db).await?;
    let counts: Vec<(i64, i64)> = comments::Entity::find()
        .select_only()
        .column(comments::Column::PostId)
        .column_as(comments::Column::Id.count(), "comments")
        .group_by(comments::Column::PostId)
        .into_tuple()
        .all(db)
        .await?;
    let counts: HashMap<i64, i64> = counts.into_iter().collect();
    let summary = |(post, author): (posts::Model, Option<users::Model>)| PostSummary {
        comments: counts.get(&post.id).copied().unwrap_or(0),
        author: author.map(|author| author.username).unwrap_or_default(),
        id: post.id,
        title: post.title,
    };
    Ok(found.into_iter().map(summary).collect())
}

/// Two queries for each post, as slow has them.
async fn one_by_one(db: &Db) -> Result<Vec<PostSummary>, Error> {
    let mut found = Vec::new();
    for post in posts::Entity::seeded().all(db).await? {
        let author = users::Entity::find_by_id(post.author_id).one(db).await?;
        let comments = post.find_related(comments::Entity).count(db).await?;
        found.push(PostSummary {
            id: post.id,
            title: post.title,
            author: author.map(|author| author.username).unwrap_or_default(),
            comments: i64::try_from(comments).unwrap_or(i64::MAX),
        });
    }
    Ok(found)
}

#[test]
fn two_queries_are_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(Json(in_two(&db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_subquery_is_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let sql = "SELECT p.id, p.title, u.username AS author, \
             (SELECT COUNT(*) FROM comments c WHERE c.post_id = p.id) AS comments \
             FROM posts p JOIN users u ON u.id = p.author_id \
             WHERE p.slug BETWEEN $1 AND $2 ORDER BY p.slug";
        let slugs = [posts::seed_slug(1), posts::seed_slug(posts::SEEDED)];
        let query = Statement::from_sql_and_values(
            db.get_database_backend(),
            sql,
            slugs.map(sea_orm::Value::from),
        );
        Ok(Json(PostSummary::find_by_statement(query).all(&db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_number_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_eq!(
        failures,
        [
            "queries: 201 for each request, at most 2 (evidence of fast)",
            "rows: 300 for each request, at most 200 (evidence of fast)",
            "these look like the numbers of slow",
        ]
    );
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let answer = serde_json::to_value(in_two(&db).await?).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows");
}

#[test]
fn posts_without_comments_cut_off_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let found = posts::Entity::seeded()
            .select_only()
            .columns([posts::Column::Id, posts::Column::Title])
            .column_as(users::Column::Username, "author")
            .column_as(comments::Column::Id.count(), "comments")
            .join(JoinType::InnerJoin, posts::Relation::Author.def())
            .join(JoinType::InnerJoin, posts::Relation::Comments.def())
            .group_by(posts::Column::Id)
            .group_by(users::Column::Username)
            .into_model::<PostSummary>();
        Ok(Json(found.all(&db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "75 rows instead of 100");
}

#[test]
fn queries_in_a_task_of_its_own_are_refused_as_slow() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let work = tokio::spawn(async move { one_by_one(&db).await });
        Ok(Json(work.await.map_err(Error::internal)??))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    let words = "queries: 201 for each request, at most 2 (evidence of fast); \
        the request's own record has 0, so a task or a thread beside it does the rest";
    assert_refused(&failures, words);
    assert_refused(&failures, "these look like the numbers of slow");
}
