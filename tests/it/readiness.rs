//! Readiness: `/health/ready` reports that the database can be written.

use std::time::Duration;

use product::db::Db;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::TestApp;

/// Attempts, 50 ms apart, before a wait fails.
const ATTEMPTS: usize = 200;

async fn instances(db: &Db) -> Vec<i64> {
    let all = Statement::from_string(DbBackend::Sqlite, "SELECT instance FROM write_proofs");
    let rows = db.query_all_raw(all).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[test]
fn an_idle_server_writes_a_row_of_its_own_and_removes_those_of_servers_that_are_gone() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        db.execute_unprepared("INSERT INTO write_proofs VALUES (1, 0, x'00'), (2, 0, x'00')")
            .await
            .unwrap();
        for _ in 0..ATTEMPTS {
            assert_eq!(app.get("/health/ready").await.status(), 200);
            if let [instance] = instances(&db).await[..] {
                assert!(![1, 2].contains(&instance));
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("there are still {:?}", instances(&db).await);
    });
}

#[test]
fn a_file_that_somebody_else_has_locked_is_no_failure() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        let lock = db.begin().await.unwrap();
        // Longer than an earlier commit counts as proof.
        for _ in 0..ATTEMPTS / 5 {
            assert_eq!(app.get("/health/ready").await.status(), 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(lock);
    });
}
