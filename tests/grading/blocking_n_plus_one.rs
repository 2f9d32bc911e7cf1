//! Solutions of blocking-n-plus-one.

use async_runtime::blocking_n_plus_one::LAB;
use axum::{Json, extract::State, routing::get};
use chrono::{DateTime, Utc};
use product::{api::state::AppState, db::Db, entity::posts, error::Error};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;
use workshop::Lab;

use crate::grade::{Constant, assert_refused, grade, with_yours};

#[derive(Serialize)]
struct PostOut {
    id: i64,
    author_id: i64,
    slug: String,
    title: String,
    body: String,
    created_at: DateTime<Utc>,
}

impl From<posts::Model> for PostOut {
    fn from(post: posts::Model) -> Self {
        let posts::Model { id, author_id, slug, title, body, created_at } = post;
        Self { id, author_id, slug, title, body, created_at }
    }
}

type Answer = Result<Json<Vec<PostOut>>, Error>;

fn out(found: Vec<posts::Model>) -> Json<Vec<PostOut>> {
    Json(found.into_iter().map(PostOut::from).collect())
}

async fn ids(db: &Db) -> Result<Vec<i64>, Error> {
    let ids = posts::Entity::seeded().select_only().column(posts::Column::Id).into_tuple();
    Ok(ids.all(db).await?)
}

async fn among(ids: &[i64], db: &Db) -> Result<Vec<posts::Model>, Error> {
    let among = posts::Column::Id.is_in(ids.iter().copied());
    let found = posts::Entity::find().filter(among).order_by_asc(posts::Column::Slug);
    Ok(found.all(db).await?)
}

/// One query for each post, as slow has them.
async fn one_by_one(db: &Db) -> Result<Vec<posts::Model>, Error> {
    let mut found = Vec::new();
    for id in ids(db).await? {
        found.extend(posts::Entity::find_by_id(id).one(db).await?);
    }
    Ok(found)
}

#[test]
fn ids_first_and_then_one_in_is_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(out(among(&ids(&db).await?, &db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn four_parts_are_right_as_the_gate_allows_five_queries() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let mut found = Vec::new();
        for part in ids(&db).await?.chunks(25) {
            found.extend(among(part, &db).await?);
        }
        Ok(out(found))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let found = posts::Entity::seeded().all(&db).await?;
        let answer = serde_json::to_value(&out(found).0).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "after a change of the rows, 1 of 100 rows differ");
    assert_refused(&failures, "-     \"title\": \"Changed to ");
}

#[test]
fn rows_cut_off_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(out(posts::Entity::seeded().limit(20).all(&db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "20 rows instead of 100");
}

#[test]
fn queries_in_a_task_of_its_own_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let work = tokio::spawn(async move { one_by_one(&db).await });
        Ok(out(work.await.map_err(Error::internal)??))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let words = "queries: 101 for each request, at most 5 (gate queries: max<=5); \
        the request's own record has 0";
    assert_refused(&grade(lab), words);
}

#[test]
fn queries_after_the_answer_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let found = posts::Entity::seeded().all(&db).await?;
        tokio::spawn(async move { one_by_one(&db).await });
        Ok(out(found))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "queries: 102 for each request, at most 5");
}
