//! Solutions of missing-index.

use axum::{
    Json,
    extract::{Query, State},
    routing::{MethodRouter, get},
};
use database::missing_index::LAB;
use product::{
    api::state::{AppState, SharedState},
    db::Db,
    error::Error,
};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use workshop::{Data, Handlers, Lab, Schema};

use crate::grade::{Constant, assert_refused, grade, with_yours};

const EXPRESSION: &str = "CREATE INDEX test_index ON missing_index_yours (lower(title));";
const PLAIN: &str = "CREATE INDEX test_index ON missing_index_yours (title);";

#[derive(Serialize, FromQueryResult)]
struct Book {
    id: i32,
    title: String,
    author: String,
}

#[derive(Deserialize)]
struct Wanted {
    title: String,
}

type Answer = Result<Json<Vec<Book>>, Error>;

/// Books of yours that meet a condition on `$1`.
async fn books(db: &Db, condition: &str, title: String) -> Result<Vec<Book>, Error> {
    let sql = format!("SELECT id, title, author FROM missing_index_yours WHERE {condition}");
    let query = Statement::from_sql_and_values(db.get_database_backend(), sql, [title.into()]);
    Ok(Book::find_by_statement(query).all(db).await?)
}

const BY_LOWER: &str = "lower(title) = lower($1) ORDER BY id";

/// The lab's data with these statements at the end of yours.sql.
fn with_sql(sql: &str) -> Data {
    let Schema::Both(schema) = LAB.data.schema else { panic!("one text is for both databases") };
    Data { schema: Schema::Both(format!("{schema}{sql}").leak()), ..LAB.data }
}

/// Failures of a handler with these indexes.
fn graded(sql: &str, handlers: fn(&SharedState) -> Handlers) -> Vec<String> {
    grade(Lab { data: with_sql(sql), handlers, ..LAB })
}

fn yours(state: &SharedState, handler: MethodRouter<SharedState>) -> Handlers {
    with_yours(&LAB, state, handler)
}

async fn by_lower(
    State(AppState { db, .. }): State<AppState>,
    Query(Wanted { title }): Query<Wanted>,
) -> Answer {
    Ok(Json(books(&db, BY_LOWER, title).await?))
}

#[test]
fn an_index_on_the_expression_is_right() {
    assert_eq!(graded(EXPRESSION, |state| yours(state, get(by_lower))), Vec::<String>::new());
}

#[test]
fn an_index_that_ignores_case_is_right() {
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Answer {
        Ok(Json(books(&db, "title = $1 COLLATE NOCASE ORDER BY id", title).await?))
    }
    let sql = "CREATE INDEX test_index ON missing_index_yours (title COLLATE NOCASE);";
    assert_eq!(graded(sql, |state| yours(state, get(handler))), Vec::<String>::new());
}

#[test]
fn a_generated_column_with_an_index_is_right() {
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Answer {
        Ok(Json(books(&db, "folded = lower($1) ORDER BY id", title).await?))
    }
    let sql = "ALTER TABLE missing_index_yours \
            ADD COLUMN folded TEXT GENERATED ALWAYS AS (lower(title)) VIRTUAL; \
        CREATE INDEX test_index ON missing_index_yours (folded);";
    assert_eq!(graded(sql, |state| yours(state, get(handler))), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_number_and_its_name() {
    let failures = graded("", |state| yours(state, get(by_lower)));
    assert_refused(&failures, "rows_visited: 99999");
    assert_refused(&failures, "at most 200 (evidence of fast)");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn an_index_on_the_column_is_refused() {
    let failures = graded(PLAIN, |state| yours(state, get(by_lower)));
    assert_refused(&failures, "rows_visited: 99999");
}

#[test]
fn a_search_that_begins_at_the_first_row_is_refused_though_it_is_no_full_scan() {
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Answer {
        let condition = format!("id > 0 AND {BY_LOWER}");
        Ok(Json(books(&db, &condition, title).await?))
    }
    let failures = graded("", |state| yours(state, get(handler)));
    assert_refused(&failures, "vm_steps: ");
    assert!(failures.iter().all(|failure| !failure.contains("rows_visited")), "{failures:#?}");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let found = books(&db, BY_LOWER, title).await?;
        let answer = serde_json::to_value(found).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let failures = graded("", |state| yours(state, get(handler)));
    assert_refused(&failures, "after a change of the rows");
    assert_refused(&failures, "\"title\": \"ChokePoint\"");
}

#[test]
fn rows_cut_off_are_refused() {
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Answer {
        Ok(Json(books(&db, &format!("{BY_LOWER} LIMIT 1"), title).await?))
    }
    let failures = graded(EXPRESSION, |state| yours(state, get(handler)));
    assert_refused(&failures, "1 rows instead of 3");
}

#[test]
fn a_scan_in_a_task_of_its_own_is_refused() {
    async fn handler(
        State(AppState { db, .. }): State<AppState>,
        Query(Wanted { title }): Query<Wanted>,
    ) -> Answer {
        let work = tokio::spawn(async move { books(&db, BY_LOWER, title).await });
        Ok(Json(work.await.map_err(Error::internal)??))
    }
    let failures = graded("", |state| yours(state, get(handler)));
    assert_refused(&failures, "rows_visited: 99999");
    assert_refused(&failures, "the request's own record has 0, so a task or a thread beside it");
}
