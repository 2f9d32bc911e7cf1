//! Solutions of retry-storm.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use axum::{Extension, Json, extract::State, routing::get};
use overload::retry_storm::LAB;
use product::{
    api::state::AppState,
    db::Db,
    entity::{todo_tags, todos},
    error::Error,
};
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;
use workshop::{Lab, upstream::Upstream};

use crate::grade::{Constant, assert_refused, grade, with_yours};

#[derive(Serialize)]
struct TodoCard {
    id: i64,
    title: String,
    tags: Vec<String>,
}

type Answer = Result<Json<TodoCard>, Error>;

fn card(todo: todos::Model, tags: Vec<String>) -> Json<TodoCard> {
    Json(TodoCard { id: todo.id, title: todo.title, tags })
}

async fn newest(db: &Db) -> Result<todos::Model, Error> {
    let demo = todos::Entity::find().filter(todos::Column::UserId.eq(todos::DEMO_OWNER_ID));
    let newest = demo.order_by_desc(todos::Column::Id).one(db).await?;
    newest.ok_or_else(|| Error::NotFound("no todo".to_owned()))
}

/// Tags of a todo by so many calls at most, each right after the one before it.
async fn by_calls(most: u32, todo_id: i64, upstream: &Upstream) -> Result<Vec<String>, Error> {
    let mut call = 1;
    loop {
        match upstream.tags_of(todo_id).await {
            Err(_) if call < most => call += 1,
            answered => return answered,
        }
    }
}

#[test]
fn tokens_as_grpc_has_them_are_right() {
    /// Tenths of ten tokens. A failure takes one, a success gives a tenth, and half of them stay.
    static TOKENS: AtomicI64 = AtomicI64::new(MOST);
    const MOST: i64 = 100;
    fn count(tenths: i64) -> i64 {
        let counted = |tokens: i64| Some((tokens + tenths).clamp(0, MOST));
        TOKENS.fetch_update(Relaxed, Relaxed, counted).unwrap() + tenths
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        for attempt in 1..3 {
            match upstream.tags_of(todo.id).await {
                Ok(tags) => {
                    count(1);
                    return Ok(card(todo, tags));
                }
                Err(error) if count(-10) <= MOST / 2 => return Err(error),
                Err(_) => sleep(Duration::from_millis(5) * attempt).await,
            }
        }
        let tags = upstream.tags_of(todo.id).await.inspect_err(|_| {
            count(-10);
        })?;
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn one_retry_of_a_share_of_the_requests_is_right() {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    static RETRIES: AtomicU64 = AtomicU64::new(0);
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        let most = REQUESTS.fetch_add(1, Relaxed) / 8 + 3;
        let tags = match upstream.tags_of(todo.id).await {
            Err(_) if RETRIES.load(Relaxed) < most => {
                RETRIES.fetch_add(1, Relaxed);
                sleep(Duration::from_millis(fastrand::u64(..20))).await;
                upstream.tags_of(todo.id).await?
            }
            answered => answered?,
        };
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_both_numbers_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_eq!(failures.len(), 3, "{failures:#?}");
    assert_refused(&failures, "for each request, at most 4 (gate upstream_calls: max<=4)");
    assert_refused(&failures, "for each request, at most 1.2 (evidence of fast)");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn few_retries_of_every_request_are_refused_by_their_mean_alone() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        let tags = by_calls(2, todo.id, &upstream).await?;
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_refused(&failures, "upstream_calls: 1.6 for each request, at most 1.2");
}

#[test]
fn no_retry_at_all_is_another_answer() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        let tags = upstream.tags_of(todo.id).await?;
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_refused(&failures, "+   \"detail\": \"the upstream is not available\"");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let todo = newest(&db).await?;
        let tags = by_calls(2, todo.id, &upstream).await?;
        let answer = serde_json::to_value(&card(todo, tags).0).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "after a change of the rows, the JSON differs");
    assert_refused(&failures, "-   \"title\": \"Added: ");
}

#[test]
fn tags_from_the_database_are_another_answer() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let todo = newest(&db).await?;
        let tags = todo.find_related(todo_tags::Entity).order_by_asc(todo_tags::Column::Name);
        let tags = tags.all(&db).await?.into_iter().map(|tag| tag.name).collect();
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "-   \"detail\": \"the upstream is not available\"");
}

#[test]
fn calls_by_a_client_that_counts_nothing_are_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        let url = upstream.url(&format!("/tags?todo={}", todo.id));
        for _ in 0..2 {
            let answer = upstream.http().get(&url).send().await.map_err(Error::internal)?;
            if answer.status().is_success() {
                let tags = answer.json().await.map_err(Error::internal)?;
                return Ok(card(todo, tags));
            }
        }
        Err(Error::Unavailable { part: "upstream", cause: "it failed twice".to_owned() })
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(
        &failures,
        "for each request, at most 1.2 (evidence of fast); the request's own",
    );
}

#[test]
fn calls_in_a_task_of_its_own_are_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let todo = newest(&db).await?;
        let id = todo.id;
        let work = tokio::spawn(async move { by_calls(25, id, &upstream).await });
        let tags = work.await.map_err(Error::internal)??;
        Ok(card(todo, tags))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let words = "the request's own record has 0, so a task or a thread beside it does the rest";
    assert_refused(&grade(lab), words);
}
