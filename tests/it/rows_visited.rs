//! Rows that SQLite visits for a request: on its record, and on nobody else's.

use axum::{Json, extract::State, routing::get};
use observe::cost::own::OwnCounter;
use product::{
    api::state::AppState,
    db::{ROWS_VISITED, VM_STEPS},
    error::Error,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use workshop::{Data, Handlers, Lab, Schema};

use crate::{
    own_labs::{evidence, lab, most, start},
    support::TestApp,
};

const ROWS: f64 = 100.0;
/// A scan begins at the first row, and steps to the others.
const STEPS: f64 = ROWS - 1.0;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS visited_rows (id INTEGER PRIMARY KEY); \
    DELETE FROM visited_rows; \
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
    INSERT INTO visited_rows SELECT i FROM n;";
const SCAN: &str = "SELECT id FROM visited_rows WHERE id + 0 = 50";
const SEARCH: &str = "SELECT id FROM visited_rows WHERE id = 50";
const RANGE: &str = "SELECT id FROM visited_rows WHERE id > 0 AND id + 0 = 50";

async fn run(db: &impl ConnectionTrait, sql: &str) -> Result<Json<Value>, Error> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    Ok(Json(json!({ "rows": rows.len() })))
}

/// A lab with a table of 100 rows, which answers with what the handlers do.
fn with_handlers(
    id: &'static str,
    counters: &'static [&'static OwnCounter],
    handlers: fn(&product::api::state::SharedState) -> Handlers,
) -> &'static Lab {
    let data = Data { schema: Schema::Both(TABLE), ..Data::NONE };
    Box::leak(Box::new(Lab { counters, handlers, ..*lab(id, &evidence(id, 1), data) }))
}

async fn scan(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    run(&db, SCAN).await
}

async fn search(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    run(&db, SEARCH).await
}

async fn visited(app: &TestApp, lab: &str, variant: &str, path: &str) -> (f64, f64) {
    let answer = app.get(&format!("/api/labs/{lab}/{path}")).await;
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "rows": 1 }), "{path}");
    let measured = app.measured(lab, variant).await;
    (most(&measured, "rows_visited"), most(&measured, "vm_steps"))
}

const COUNTERS: &[&OwnCounter] = &[&ROWS_VISITED, &VM_STEPS];

#[test]
fn a_scan_visits_the_table_a_search_does_not_and_a_range_shows_in_its_steps() {
    async fn range(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
        run(&db, RANGE).await
    }
    let lab = with_handlers("visits", COUNTERS, |_| Handlers {
        slow: get(scan),
        fast: get(search),
        yours: get(range),
        wrong: Vec::new(),
    });
    let app = start(&[lab]);
    app.run(async {
        // Each connection anew: the first use of one, and later ones.
        for _ in 0..5 {
            let (rows, steps) = visited(&app, "visits", "slow", "v1/slow").await;
            assert!(rows == STEPS && steps > ROWS, "{rows} rows, {steps} steps");
            let (rows, steps) = visited(&app, "visits", "fast", "v2/fast").await;
            assert!(rows == 0.0 && steps > 0.0 && steps < ROWS, "{rows} rows, {steps} steps");
            let (rows, steps) = visited(&app, "visits", "yours", "v3/yours").await;
            assert!(rows == 0.0 && steps > ROWS, "{rows} rows, {steps} steps");
        }
        let answer = app.get("/api/labs/visits/v1/slow").await;
        let timing = answer.headers()["server-timing"].to_str().unwrap();
        assert!(timing.contains("rows_visited;desc=\"99 rows_visited\""), "{timing}");
    });
}

#[test]
fn every_statement_of_a_transaction_counts() {
    async fn twice(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
        let txn = db.begin().await?;
        drop(run(&txn, SCAN).await?);
        let answer = run(&txn, SCAN).await?;
        txn.commit().await?;
        drop(run(&db, SEARCH).await?);
        Ok(answer)
    }
    let lab = with_handlers("visits-twice", COUNTERS, |_| Handlers {
        slow: get(twice),
        fast: get(search),
        yours: get(search),
        wrong: Vec::new(),
    });
    let app = start(&[lab]);
    app.run(async {
        let (rows, _) = visited(&app, "visits-twice", "slow", "v1/slow").await;
        assert_eq!(rows, 2.0 * STEPS);
        let (rows, _) = visited(&app, "visits-twice", "fast", "v2/fast").await;
        assert_eq!(rows, 0.0, "the connection had been lent to another");
    });
}

#[test]
fn a_request_without_the_counter_keeps_its_own() {
    static OF_ANOTHER: OwnCounter = OwnCounter::new("visited_by_another", "Never counted.");
    const OTHERS: &[&OwnCounter] = &[&OF_ANOTHER];
    let lab = with_handlers("visits-nobody", OTHERS, |_| Handlers {
        slow: get(scan),
        fast: get(search),
        yours: get(search),
        wrong: Vec::new(),
    });
    let app = start(&[lab]);
    app.run(async {
        assert_eq!(app.get("/api/labs/visits-nobody/v1/slow").await.status(), 200);
        let measured = app.measured("visits-nobody", "slow").await;
        assert_eq!(most(&measured, "visited_by_another"), 0.0);
        assert!(measured.counters.keys().all(|counter| counter.name() != "rows_visited"));
    });
}
