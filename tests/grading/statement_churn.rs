//! Solutions of statement-churn.

use std::iter::repeat_n;

use axum::{
    Json,
    extract::State,
    routing::{MethodRouter, get},
};
use database::statement_churn::LAB;
use product::{
    api::state::{AppState, SharedState},
    db::Db,
    error::Error,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};
use serde::Serialize;
use workshop::{Handlers, Lab};

use crate::grade::{Constant, assert_refused, grade, with_yours, wrong_as_yours};

const NEWS: &str = "SELECT id, title FROM statement_churn_articles WHERE is_news";

#[derive(Serialize, FromQueryResult)]
struct Article {
    id: i32,
    title: String,
}

#[derive(Serialize)]
struct Digest {
    news: Vec<Article>,
}

type Answer = Result<Json<Vec<Digest>>, Error>;

fn graded(handlers: fn(&SharedState) -> Handlers) -> Vec<String> {
    grade(Lab { handlers, ..LAB })
}

fn yours(state: &SharedState, handler: MethodRouter<SharedState>) -> Handlers {
    with_yours(&LAB, state, handler)
}

/// Rows of a statement with these values.
async fn rows<T: FromQueryResult>(db: &Db, sql: &str, values: Vec<Value>) -> Result<Vec<T>, DbErr> {
    let query = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    T::find_by_statement(query).all(db).await
}

/// Shelves of a team, another one each time. All have the articles with news, so whose they are makes
/// no difference to the answer.
async fn shelves(db: &Db) -> Result<Vec<Vec<i32>>, DbErr> {
    #[derive(FromQueryResult)]
    struct Shelf {
        articles: String,
    }
    let sql = "SELECT articles FROM statement_churn_shelves WHERE reader BETWEEN $1 AND $2";
    let first = fastrand::u64(..100) * 10 + 1;
    let shelves: Vec<Shelf> = rows(db, sql, vec![first.into(), (first + 9).into()]).await?;
    let ids = |Shelf { articles }: Shelf| {
        let list = articles.trim_matches(['[', ']']).to_owned();
        list.split(',').filter_map(|id| id.parse().ok()).collect()
    };
    Ok(shelves.into_iter().map(ids).collect())
}

/// The news among these, each id as a parameter of its own.
async fn spelled_out(db: &Db, kept: Vec<i32>) -> Result<Vec<Article>, DbErr> {
    let marks: Vec<_> = (1..=kept.len()).map(|n| format!("${n}")).collect();
    let sql = format!("{NEWS} AND id IN ({}) ORDER BY id", marks.join(", "));
    rows(db, &sql, kept.into_iter().map(Value::from).collect()).await
}

async fn as_slow_does(db: &Db) -> Result<Vec<Digest>, DbErr> {
    let mut digests = Vec::new();
    for kept in shelves(db).await? {
        digests.push(Digest { news: spelled_out(db, kept).await? });
    }
    Ok(digests)
}

#[test]
fn lists_filled_up_to_a_power_of_two_are_right() {
    async fn handler(State(AppState { db, .. }): State<AppState>) -> Answer {
        let mut digests = Vec::new();
        for mut kept in shelves(&db).await? {
            let last = kept.last().copied().unwrap_or_default();
            let missing = kept.len().next_power_of_two() - kept.len();
            kept.extend(repeat_n(last, missing));
            digests.push(Digest { news: spelled_out(&db, kept).await? });
        }
        Ok(Json(digests))
    }
    assert_eq!(graded(|state| yours(state, get(handler))), Vec::<String>::new());
}

#[test]
fn a_join_is_right() {
    async fn handler(State(AppState { db, .. }): State<AppState>) -> Answer {
        let sql = format!(
            "{NEWS} AND id IN (SELECT value FROM statement_churn_shelves, json_each(articles) \
             WHERE reader = $1) ORDER BY id"
        );
        let mut digests = Vec::new();
        for reader in 1..=10_u64 {
            let reader = fastrand::u64(..99) * 10 + reader;
            digests.push(Digest { news: rows(&db, &sql, vec![reader.into()]).await? });
        }
        Ok(Json(digests))
    }
    assert_eq!(graded(|state| yours(state, get(handler))), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_number_and_its_name() {
    async fn handler(State(AppState { db, .. }): State<AppState>) -> Answer {
        Ok(Json(as_slow_does(&db).await?))
    }
    let failures = graded(|state| yours(state, get(handler)));
    assert_refused(&failures, "statements_prepared");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn a_task_beside_the_request_hides_nothing() {
    async fn handler(State(AppState { db, .. }): State<AppState>) -> Answer {
        let work = tokio::spawn(async move { as_slow_does(&db).await });
        Ok(Json(work.await.map_err(Error::internal)??))
    }
    let failures = graded(|state| yours(state, get(handler)));
    assert_refused(&failures, "statements_prepared");
}

#[test]
fn literals_are_refused() {
    let failures = graded(|state| wrong_as_yours(&LAB, state, "literals"));
    assert_refused(&failures, "statements_prepared");
}

#[test]
fn one_query_for_each_article_is_refused() {
    async fn handler(State(AppState { db, .. }): State<AppState>) -> Answer {
        let mut digests = Vec::new();
        for kept in shelves(&db).await? {
            let mut digest = Vec::new();
            // Those with news are the first of each shelf.
            for id in kept.into_iter().take(12) {
                digest.extend(rows(&db, &format!("{NEWS} AND id = $1"), vec![id.into()]).await?);
            }
            digests.push(Digest { news: digest });
        }
        Ok(Json(digests))
    }
    let failures = graded(|state| yours(state, get(handler)));
    assert_refused(&failures, "queries: ");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
    ) -> Result<Json<serde_json::Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let answer = serde_json::to_value(as_slow_does(&db).await?).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let failures = graded(|state| yours(state, get(handler)));
    assert_refused(&failures, "after a change of the rows");
}
