//! Labs of these tests: each answers with the number of rows in a table of its own.

use axum::{Json, extract::State, routing::get};
use observe::measurements::Summary;
use product::{api::state::AppState, db::Db, error::Error};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde_json::{Value, json};
use workshop::{
    Data, Handlers, Lab, Labs,
    lab::{DataError, Step},
};

use crate::support::{TestApp, header, problem};

pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS lab_rows (id INTEGER PRIMARY KEY);";
/// Rows that `fill` makes.
pub const ROWS: i64 = 3;

/// A lab.json with nothing special about it.
pub fn evidence(id: &str, order: u32) -> Value {
    let load = json!({
        "executor": "constant-arrival-rate", "rate": 1, "duration": 2, "max_vus": 5,
        "graceful_stop": 1, "min_requests": 1,
    });
    let side = |queries: u32| json!({ "counters": { "queries": { "max": queries } } });
    json!({
        "title": id, "area": "database", "order": order, "question": "Why?", "hints": ["Look."],
        "origin": "A test.",
        "request": { "method": "GET", "mount": format!("/api/labs/{id}") },
        "answer": { "statuses": { "200": { "min": 1 } } },
        "load": { "proof": load, "stage": load },
        "gate": { "thresholds": { "queries": ["max<=1"] }, "slow_crosses": ["queries: max<=1"] },
        "evidence": { "slow": side(2), "fast": side(1) },
        "wrong_fixes": [],
        "needs": {},
    })
}

/// A lab whose variants all answer with the number of rows.
pub fn lab(id: &'static str, evidence: &Value, data: Data) -> &'static Lab {
    let lab = Lab {
        id,
        evidence: evidence.to_string().leak(),
        readme: "",
        slow_source: "",
        fast_source: "",
        flow: None,
        counters: &[],
        data,
        handlers: |_| Handlers {
            slow: get(rows),
            fast: get(rows),
            yours: get(rows),
            wrong: Vec::new(),
        },
    };
    Box::leak(Box::new(lab))
}

async fn rows(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "rows": count(&db).await? })))
}

pub async fn count(db: &Db) -> Result<i64, DbErr> {
    let sql = "SELECT COUNT(*) AS n FROM lab_rows";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql));
    row.await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

/// True if the database has the table. No statement of the app asks for that.
pub async fn has_table(db: &Db, name: &str) -> bool {
    db.execute_unprepared(&format!("SELECT 1 FROM {name}")).await.is_ok()
}

pub async fn fill(db: &Db) -> Result<(), DataError> {
    db.execute_unprepared("DELETE FROM lab_rows").await?;
    for id in 1..=ROWS {
        db.execute_unprepared(&format!("INSERT INTO lab_rows VALUES ({id})")).await?;
    }
    Ok(())
}

/// `fill` as a set-up.
pub const FILL: Option<Step> = Some(|state| Box::pin(async move { fill(&state.db).await }));

/// The greatest value of a counter, by its name.
pub fn most(measured: &Summary, name: &str) -> f64 {
    let found = measured.counters.iter().find(|(counter, _)| counter.name() == name);
    found.unwrap_or_else(|| panic!("no {name} among the counters")).1.max
}

pub fn start(labs: &[&'static Lab]) -> TestApp {
    TestApp::start_with_labs(Labs::load(labs).unwrap())
}

/// Number of rows that a route answers with.
pub async fn rows_of(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json::<Value>().await.unwrap()["rows"].clone()
}

/// Detail of a 503 that names the lab.
pub async fn refusal(app: &TestApp, path: &str) -> String {
    let answer = app.get(path).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(header(&answer, "retry-after"), "1");
    problem(answer).await["detail"].as_str().unwrap().to_owned()
}
