//! Log lines older than LOG_RETENTION are deleted, younger ones stay, and ingest does not wait.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use serde_json::json;

use crate::{
    logs::{json, line, post},
    support::TestApp,
};

const OLD: usize = 3_000;
const YOUNG: usize = 1_000;
const POSTED: usize = 100;

async fn batches(app: &TestApp, device: &str, lines: usize) {
    for _ in 0..lines / 1_000 {
        let lines = json!({"logs": vec![line(device, "m"); 1_000]});
        assert_eq!(post(app, "/api/logs/batch", &lines).await.status(), 200);
    }
}

/// Number of a device's lines in the table.
async fn stored(app: &TestApp, device: &str) -> i64 {
    let db = app.db().await;
    let count = "SELECT COUNT(*) FROM log_lines WHERE device_id = $1";
    let backend = db.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, count, [device.into()]);
    let count = db.query_one_raw(statement).await.unwrap().unwrap();
    let count = count.try_get_by_index(0).unwrap();
    db.close().await.unwrap();
    count
}

#[test]
fn lines_older_than_the_retention_go_while_others_are_written() {
    let app = TestApp::start();
    let keeping = app.run(async {
        batches(&app, "old", OLD).await;
        batches(&app, "young", YOUNG).await;
        let db = app.db().await;
        let aged = "UPDATE log_lines SET created_at = $1 WHERE device_id = 'old'";
        let long_ago = Value::from(Utc::now() - TimeDelta::days(2));
        let backend: DbBackend = db.get_database_backend();
        db.execute_raw(Statement::from_sql_and_values(backend, aged, [long_ago])).await.unwrap();
        db.close().await.unwrap();
        assert_eq!(stored(&app, "old").await, OLD as i64);
        &app
    });
    // It starts to delete while the other instance accepts lines.
    let deleting = TestApp::start_beside(keeping, &["--log-retention=1d"]);
    deleting.run(async {
        let posts = (0..POSTED).map(|_| async {
            post(&deleting, "/api/log", &line("posted", "m")).await.status().as_u16()
        });
        assert_eq!(join_all(posts).await, [200; POSTED]);
        while stored(&deleting, "old").await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(stored(&deleting, "young").await, YOUNG as i64);
        assert_eq!(stored(&deleting, "posted").await, POSTED as i64);
        // Servers of one process share the counter, and no other test deletes lines.
        let expired = format!("chokepoint_log_lines_expired_total {OLD}");
        let metrics = deleting.metrics().await;
        assert!(metrics.lines().any(|line| line == expired), "{metrics}");
        // The counts include all lines that were ever stored.
        let stats = json(&deleting, "/api/stats").await;
        assert_eq!(stats["lines"], (OLD + YOUNG + POSTED) as i64);
    });
}
