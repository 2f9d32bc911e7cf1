//! `backup` and `restore` of PostgreSQL, during writes.

use std::{
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::{
    backends::BackEnds,
    program::{program, text},
    support::TestApp,
};

/// Digest of all rows of each table, by name.
async fn digests(app: &TestApp) -> Vec<(String, String)> {
    let db = app.db().await;
    let ask = async |sql: String| {
        db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
    };
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let mut digests = Vec::new();
    for table in ask(tables.to_owned()).await {
        let table: String = table.try_get_by_index(0).unwrap();
        let sql = format!(
            "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
        );
        digests.push((table, ask(sql).await[0].try_get_by_index(0).unwrap()));
    }
    db.close().await.unwrap();
    digests
}

fn ran(folder: &Path, command: &str, url: &str) -> Output {
    let mut program = program(folder);
    // pg_dump is found through PATH.
    program.env("PATH", std::env::var_os("PATH").unwrap());
    program.args([command, "copy.dump"]).env("DATABASE_URL", url).output().unwrap()
}

fn succeeds(folder: &Path, command: &str, url: &str) {
    let output = ran(folder, command, url);
    assert!(output.status.success(), "{command}: {}", text(&output.stderr));
}

#[test]
fn a_dump_under_load_has_all_that_was_acknowledged_and_fills_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (from, to) = (Arc::new(BackEnds::new()), Arc::new(BackEnds::new()));
    let app = TestApp::start_on(from.clone(), &[]);
    let sent = AtomicUsize::new(0);
    let (before, at_rest) = app.run(async {
        let log = async || {
            let line = json!({"device_id": "d", "log_level": "INFO", "message": "m"});
            let answer = app.app(reqwest::Method::POST, "/api/log").json(&line).send().await;
            assert_eq!(answer.unwrap().status(), 200);
            sent.fetch_add(1, SeqCst);
        };
        for _ in 0..50 {
            log().await;
        }
        let before = sent.load(SeqCst);
        let dumping = tokio::task::spawn_blocking({
            let (folder, url) = (folder.to_owned(), from.database_url());
            move || succeeds(&folder, "backup", &url)
        });
        while !dumping.is_finished() {
            log().await;
        }
        dumping.await.unwrap();
        (before, digests(&app).await)
    });
    let is_refused = |command: &str, url: &str, reason: &str| {
        let output = ran(folder, command, url);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let error = text(&output.stderr);
        assert!(error.contains(reason) && error.lines().count() == 1, "{error}");
        let password = reqwest::Url::parse(url).unwrap().password().unwrap().to_owned();
        assert!(!error.contains(&password), "{error}");
    };
    is_refused("backup", &from.database_url(), "copy.dump exists; move it away first");
    is_refused("restore", &from.database_url(), "tables; restore into an empty one");
    succeeds(folder, "restore", &to.database_url());
    // The restored database is served, and lines and counts are from one snapshot.
    let restored = TestApp::start_on(to.clone(), &[]);
    restored.run(async {
        let stats: serde_json::Value = restored.get("/api/stats").await.json().await.unwrap();
        let lines = usize::try_from(stats["lines"].as_u64().unwrap()).unwrap();
        assert!((before..=sent.load(SeqCst)).contains(&lines), "{lines} of {before} at least");
    });
    drop(restored);
    // Without writes, row by row.
    std::fs::remove_file(folder.join("copy.dump")).unwrap();
    succeeds(folder, "backup", &from.database_url());
    let again = Arc::new(BackEnds::new());
    succeeds(folder, "restore", &again.database_url());
    let of_again = TestApp::start_on(again, &[]);
    assert_eq!(of_again.run(digests(&of_again)), at_rest);
}
