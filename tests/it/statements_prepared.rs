//! Statements that the database prepares for a request, on every database: once for each text and
//! connection, and again when the driver's cache of the connection has no place for it.

use std::ops::Range;

use axum::{Json, extract::State, routing::get};
use observe::cost::own::OwnCounter;
use product::{api::state::AppState, db::STATEMENTS_PREPARED, error::Error};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde_json::{Value, json};
use workshop::{Data, Handlers, Lab};

use crate::{
    own_labs::{evidence, lab, most, start},
    support::TestApp,
};

/// Statements that the driver keeps prepared on a connection.
const KEPT: u64 = 100;
const TEXTS: u64 = KEPT + 50;

const COUNTERS: &[&OwnCounter] = &[&STATEMENTS_PREPARED];

/// Sends texts, each once, in the same order at each call.
async fn send(db: &impl ConnectionTrait, texts: Range<u64>) -> Result<(), DbErr> {
    for text in texts {
        let sql = format!("SELECT CAST({text} AS BIGINT) AS n");
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    }
    Ok(())
}

/// More texts than the cache keeps, so that each has lost its place when it comes again.
async fn many(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    let connection = db.acquire().await?;
    send(&connection, 0..TEXTS).await?;
    send(&connection, 0..TEXTS).await?;
    Ok(Json(Value::Null))
}

/// Texts that find their places again.
async fn few(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    let connection = db.acquire().await?;
    for _ in 0..10 {
        send(&connection, 0..2).await?;
    }
    Ok(Json(Value::Null))
}

async fn in_transaction(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    let txn = db.begin().await?;
    send(&txn, 0..TEXTS).await?;
    txn.commit().await?;
    Ok(Json(Value::Null))
}

/// A query for one row, ten times on one connection. sea-orm binds the LIMIT as a parameter, and a
/// planner that looks at its value has to look again each time.
async fn one_row(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    let connection = db.acquire().await?;
    for _ in 0..10 {
        let sql = "SELECT CAST(1 AS BIGINT) AS n LIMIT $1";
        let backend = connection.get_database_backend();
        let query = Statement::from_sql_and_values(backend, sql, [1_u64.into()]);
        connection.query_one_raw(query).await?;
    }
    Ok(Json(Value::Null))
}

/// Other texts, each on a connection of the pool.
async fn by_pool(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
    send(&db, 1000..1020).await?;
    Ok(Json(Value::Null))
}

/// Statements that one request prepared, and those of a text that was new.
async fn prepared(app: &TestApp, path: &str, variant: &str) -> [u64; 2] {
    assert_eq!(app.get(&format!("/api/labs/preparing/{path}")).await.status(), 200, "{path}");
    let measured = app.measured("preparing", variant).await;
    ["statements_prepared", "new_statements"].map(|name| most(&measured, name) as u64)
}

#[test]
fn each_preparation_counts_and_a_text_that_is_kept_does_not() {
    let mut evidence = evidence("preparing", 1);
    let other = |name: &str| {
        let refuted_by = json!({ "queries": { "min": 2 } });
        json!({ "name": name, "idea": "Other.", "refuted_by": refuted_by })
    };
    evidence["wrong_fixes"] = json!([other("by-pool"), other("one-row")]);
    let lab = Lab {
        counters: COUNTERS,
        handlers: |_| Handlers {
            slow: get(many),
            fast: get(few),
            yours: get(in_transaction),
            wrong: vec![("by-pool", get(by_pool)), ("one-row", get(one_row))],
        },
        ..*lab("preparing", &evidence, Data::NONE)
    };
    let app = start(&[Box::leak(Box::new(lab))]);
    app.run(async {
        let begins = match app.db().await.get_database_backend() {
            // BEGIN and COMMIT.
            DbBackend::Sqlite => 2,
            _ => 0,
        };
        assert_eq!(prepared(&app, "v1/slow", "slow").await, [2 * TEXTS, TEXTS]);
        let [few, _] = prepared(&app, "v2/fast", "fast").await;
        assert!(few <= 2, "{few} of two texts");
        // The texts are known, and the connection has lost them, whichever it is.
        let [in_transaction, new] = prepared(&app, "v3/yours", "yours").await;
        let last = TEXTS - 2;
        assert!((last..=TEXTS + begins).contains(&in_transaction), "{in_transaction}");
        assert_eq!(new, 0);
        assert_eq!(prepared(&app, "v4/by-pool", "by-pool").await, [20, 20]);
        assert_eq!(prepared(&app, "v4/one-row", "one-row").await, [1, 1]);
    });
}
