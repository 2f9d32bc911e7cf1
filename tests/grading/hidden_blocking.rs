//! Solutions of hidden-blocking.

use std::collections::HashMap;

use async_runtime::hidden_blocking::LAB;
use axum::{Json, extract::State, routing::get};
use product::{
    api::state::AppState,
    db::Db,
    entity::{todo_tags, todos},
    error::Error,
};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};
use serde::Serialize;
use serde_json::Value;
use workshop::Lab;

use crate::grade::{Constant, assert_refused, grade, with_yours};

#[derive(Serialize)]
struct TodoOut {
    id: i64,
    title: String,
    completed: bool,
    tags: Vec<String>,
}

type Answer = Result<Json<Vec<TodoOut>>, Error>;

fn out(todo: todos::Model, tags: Vec<String>) -> TodoOut {
    let todos::Model { id, title, completed, .. } = todo;
    TodoOut { id, title, completed, tags }
}

/// Todos with their tags by one join, of the type that is named.
async fn joined(join: JoinType, db: &Db) -> Result<Vec<TodoOut>, Error> {
    let rows: Vec<(i64, String, bool, Option<String>)> = todos::Entity::demo()
        .select_only()
        .columns([todos::Column::Id, todos::Column::Title, todos::Column::Completed])
        .column(todo_tags::Column::Name)
        .join(join, todos::Relation::Tags.def())
        .order_by_asc(todo_tags::Column::Name)
        .into_tuple()
        .all(db)
        .await?;
    let mut found: Vec<TodoOut> = Vec::new();
    for (id, title, completed, tag) in rows {
        match found.last_mut() {
            Some(last) if last.id == id => last.tags.extend(tag),
            _ => found.push(TodoOut { id, title, completed, tags: tag.into_iter().collect() }),
        }
    }
    Ok(found)
}

async fn tags_of(todo: &todos::Model, db: &Db) -> Result<Vec<String>, Error> {
    let tags = todo_tags::Entity::find()
        .select_only()
        .column(todo_tags::Column::Name)
        .filter(todo_tags::Column::TodoId.eq(todo.id))
        .order_by_asc(todo_tags::Column::Name)
        .into_tuple();
    Ok(tags.all(db).await?)
}

#[test]
fn one_join_is_right_though_fast_has_two_queries() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(Json(joined(JoinType::LeftJoin, &db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn tags_by_one_in_are_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let todos = todos::Entity::demo().all(&db).await?;
        let of_these = todo_tags::Column::TodoId.is_in(todos.iter().map(|todo| todo.id));
        let tags = todo_tags::Entity::find().filter(of_these);
        let mut by_todo: HashMap<i64, Vec<String>> = HashMap::new();
        for tag in tags.order_by_asc(todo_tags::Column::Name).all(&db).await? {
            by_todo.entry(tag.todo_id).or_default().push(tag.name);
        }
        let with_tags = |todo: todos::Model| {
            let tags = by_todo.remove(&todo.id).unwrap_or_default();
            out(todo, tags)
        };
        Ok(Json(todos.into_iter().map(with_tags).collect()))
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
        let found = joined(JoinType::LeftJoin, &db).await?;
        let answer = serde_json::to_value(&found).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows, 100 rows instead of 101");
}

#[test]
fn todos_without_tags_cut_off_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(Json(joined(JoinType::InnerJoin, &db).await?))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    // Each seeded todo has a tag; only a change of the rows finds out.
    assert_refused(&failures, "after a change of the rows, 100 rows instead of 101");
    assert_eq!(failures.len(), 1, "{failures:#?}");
}

#[test]
fn queries_in_a_task_of_its_own_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let work = tokio::spawn(async move {
            let mut found = Vec::new();
            for todo in todos::Entity::demo().all(&db).await? {
                let tags = tags_of(&todo, &db).await?;
                found.push(out(todo, tags));
            }
            Ok::<_, Error>(found)
        });
        Ok(Json(work.await.map_err(Error::internal)??))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "for each request, at most 2 (evidence of fast)");
}
