//! Log ingest into an SQLite file: its lock, its content after a kill, and its metrics.

use std::thread;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::{
    logs::{json, line, post},
    program::Serving,
    support::{TestApp, header, problem},
};

#[test]
fn the_writer_waits_for_the_disk() {
    let app = TestApp::start();
    app.run(async {
        let stats = json(&app, "/api/stats").await;
        assert_eq!(stats["durability"], "synchronous=FULL", "of the writer's own connection");
    });
}

#[test]
fn a_database_that_stays_locked_is_503_and_then_works_again() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        let lock = db.begin().await.unwrap();
        let refused = post(&app, "/api/log", &line("d", "m")).await;
        assert_eq!(refused.status(), 503);
        assert_eq!(header(&refused, "retry-after"), "1");
        assert_eq!(problem(refused).await["detail"], "the database is not available");
        drop(lock);
        assert_eq!(post(&app, "/api/log", &line("d", "m")).await.status(), 200);
        assert_eq!(json(&app, "/api/stats").await["lines"], 1);
        db.close().await.unwrap();
    });
}

#[test]
fn an_acknowledged_line_is_there_after_a_kill_and_so_are_the_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("killed.db").display());
    let client = Client::builder().no_proxy().build().unwrap();
    let get = |serving: &Serving, path: &str| -> Value {
        client.get(serving.url(path)).send().unwrap().json().unwrap()
    };
    let mut acknowledged = 0;
    for _ in 0..3 {
        let serving = Serving::start(&[("DATABASE_URL", &file)]);
        assert_eq!(get(&serving, "/api/stats")["lines"], acknowledged);
        for _ in 0..10 {
            let lines = json!([line("a", "m"), line("b", "m"), line("a", "m")]);
            let request = client.post(serving.url("/api/logs/batch")).json(&lines);
            assert_eq!(request.send().unwrap().status(), 200);
            acknowledged += 3;
        }
        // Ends it by SIGKILL: no file is closed properly.
        drop(serving);
    }
    let serving = Serving::start(&[("DATABASE_URL", &file)]);
    let stats = get(&serving, "/api/stats");
    assert_eq!((&stats["lines"], &stats["levels"]["INFO"]), (&90.into(), &90.into()));
    assert_eq!(get(&serving, "/api/logs/a")["logs"].as_array().unwrap().len(), 60);
}

#[test]
fn the_gauge_of_lines_that_wait_is_zero_when_none_does() {
    // Needs its own process: all servers of a process share the gauge.
    let serving = Serving::start(&[("INGEST_DELAY", "1s")]);
    let client = Client::builder().no_proxy().build().unwrap();
    let waits = |lines: u32| {
        let metrics = client.get(format!("http://{}/metrics", serving.ops)).send().unwrap();
        let series = format!("chokepoint_ingest_queue_lines {lines}");
        metrics.text().unwrap().lines().any(|line| line == series)
    };
    let lines = json!(vec![line("d", "m"); 3]);
    thread::scope(|scope| {
        let request = client.post(serving.url("/api/logs/batch")).json(&lines);
        let answered = scope.spawn(|| request.send().unwrap().status());
        while !waits(3) {
            assert!(!answered.is_finished(), "it never said 3");
        }
        assert_eq!(answered.join().unwrap(), 200);
        assert!(waits(0));
    });
}
