//! Log ingest: valid lines, the time of the answer, and reading.

use std::sync::Arc;

use futures_util::future::join_all;
use product::db::{Db, Transaction};
use reqwest::{Method, Response};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::{
    backends::BackEnds,
    support::{TestApp, header, problem},
};

/// A line of a device.
pub fn line(device: &str, message: &str) -> Value {
    json!({"device_id": device, "log_level": "INFO", "message": message})
}

pub async fn post(app: &TestApp, path: &str, body: &Value) -> Response {
    app.app(Method::POST, path).json(body).send().await.unwrap()
}

/// Body of an answer, whose status must be 200.
pub async fn json(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

#[test]
fn a_line_is_stored_as_it_was_sent() {
    let app = TestApp::start();
    app.run(async {
        let data = json!({"celsius": 21.5, "tags": ["a", {"b": null}], "ü": "\u{1}\n"});
        let sent = json!({
            "device_id": "sensor-17.A:x_", "log_level": "ERROR", "message": "\"ventil\" öffnet \\ 🚰",
            "log_data": data, "more": "is ignored",
        });
        let answer = post(&app, "/api/log", &sent).await;
        assert_eq!(answer.status(), 200);
        let timing = header(&answer, "server-timing").to_owned();
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"stored": 1}));
        assert!(timing.contains("\"1 commits\""), "{timing}");

        let found = json(&app, "/api/logs/sensor-17.A:x_").await;
        assert_eq!(found["next_before"], Value::Null);
        let found = &found["logs"][0];
        for field in ["device_id", "log_level", "message", "log_data"] {
            assert_eq!(found[field], sent[field], "{field}");
        }
        assert!(found["created_at"].as_str().unwrap().starts_with("20"), "{found}");
    });
}

#[test]
fn a_batch_is_an_object_or_a_bare_array() {
    let app = TestApp::start();
    app.run(async {
        let lines = json!([line("a", "one"), line("b", "two"), line("a", "three")]);
        for body in [json!({"logs": lines}), lines] {
            let answer = post(&app, "/api/logs/batch", &body).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"stored": 3}));
        }
        let found = json(&app, "/api/logs/a").await;
        let messages: Vec<_> = found["logs"].as_array().unwrap().iter().collect();
        let messages: Vec<_> = messages.iter().map(|l| l["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["three", "one", "three", "one"], "newest first");
        assert_eq!(json(&app, "/api/logs/nobody").await, json!({"logs": [], "next_before": null}));
    });
}

#[test]
fn pages_follow_one_another_without_a_gap() {
    let app = TestApp::start();
    app.run(async {
        let lines: Vec<_> = (0..25).map(|n| line("d", &n.to_string())).collect();
        post(&app, "/api/logs/batch", &json!(lines)).await;
        let mut path = "/api/logs/d?limit=10".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = json(&app, &path).await;
            let messages = page["logs"].as_array().unwrap().iter();
            seen.extend(messages.map(|l| l["message"].as_str().unwrap().parse::<u32>().unwrap()));
            let Some(before) = page["next_before"].as_i64() else { break };
            path = format!("/api/logs/d?limit=10&before={before}");
        }
        assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
    });
}

#[test]
fn statistics_count_lines_by_level_and_by_device() {
    let app = TestApp::start();
    app.run(async {
        let empty = json(&app, "/api/stats").await;
        assert_eq!((&empty["lines"], &empty["devices"]), (&0.into(), &0.into()));
        let levels = ["DEBUG", "info", "Warn", "WARNING", "error", "CRITICAL"];
        for (index, device) in ["a", "b", "a"].iter().enumerate() {
            let lines: Vec<_> = levels[index..]
                .iter()
                .map(|level| json!({"device_id": device, "log_level": level, "message": "m"}))
                .collect();
            post(&app, "/api/logs/batch", &json!(lines)).await;
        }
        let stats = json(&app, "/api/stats").await;
        assert_eq!(stats["lines"], 15);
        let expected = json!({"DEBUG": 1, "INFO": 2, "WARNING": 6, "ERROR": 3, "CRITICAL": 3});
        assert_eq!(stats["levels"], expected);
        let expected = json!([{"device_id": "a", "lines": 10}, {"device_id": "b", "lines": 5}]);
        assert_eq!(stats["per_device"], expected);
        assert_eq!((&stats["queue_depth"], &stats["queue_capacity"]), (&0.into(), &10_000.into()));
    });
}

#[test]
fn lines_that_wait_together_are_committed_together() {
    let app = TestApp::start_with(&["--ingest-delay=500ms"]);
    app.run(async {
        let lines: Vec<_> = (0..20).map(|n| line("d", &n.to_string())).collect();
        let answers = join_all(lines.iter().map(|line| post(&app, "/api/log", line))).await;
        assert!(answers.iter().all(|answer| answer.status() == 200));
        let found = json(&app, "/api/logs/d").await;
        let moments = found["logs"].as_array().unwrap().iter().map(|l| l["created_at"].to_string());
        // Lines of one group have the same time.
        let groups = moments.collect::<std::collections::HashSet<_>>().len();
        assert!(groups < 10, "20 lines in {groups} groups");
    });
}

#[test]
fn a_line_that_cannot_be_stored_does_not_take_its_group_with_it() {
    let app = TestApp::start_with(&["--ingest-delay=500ms"]);
    app.run(async {
        let db = app.db().await;
        db.execute_unprepared("CREATE UNIQUE INDEX once ON log_lines (message)").await.unwrap();
        assert_eq!(post(&app, "/api/log", &line("d", "there")).await.status(), 200);
        let lines = ["a", "there", "b"].map(|message| line("d", message));
        let answers = join_all(lines.iter().map(|line| post(&app, "/api/log", line))).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        assert_eq!(statuses, [200, 500, 200]);
        assert_eq!(json(&app, "/api/stats").await["lines"], 3);
        db.close().await.unwrap();
    });
}

/// Keeps the writer from writing until this is dropped.
async fn keep_writer_out(db: &Db) -> Transaction {
    // On SQLite this is enough.
    let lock = db.begin().await.unwrap();
    if lock.get_database_backend() == DbBackend::Postgres {
        lock.execute_unprepared("LOCK TABLE log_lines IN EXCLUSIVE MODE").await.unwrap();
    }
    lock
}

async fn until_queued(app: &TestApp, lines: u64) {
    while json(app, "/api/stats").await["queue_depth"] != lines {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_full_queue_is_503_at_once_and_takes_lines_again_when_it_is_not() {
    let app = TestApp::start_with(&["--ingest-queue=4"]);
    app.run(async {
        let db = app.db().await;
        let lock = keep_writer_out(&db).await;
        let three = json!(vec![line("d", "w"); 3]);
        let (first, ()) = tokio::join!(post(&app, "/api/logs/batch", &three), async {
            until_queued(&app, 3).await;
            let two = json!([line("d", "x"), line("d", "y")]);
            let refused = post(&app, "/api/logs/batch", &two).await;
            assert_eq!(refused.status(), 503);
            assert_eq!(header(&refused, "retry-after"), "1");
            problem(refused).await;
            drop(lock);
        });
        assert_eq!(first.status(), 200);
        // A batch larger than the queue must not be refused for ever.
        let five = json!(vec![line("d", "z"); 5]);
        assert_eq!(post(&app, "/api/logs/batch", &five).await.status(), 200);
        let stats = json(&app, "/api/stats").await;
        assert_eq!((&stats["lines"], &stats["queue_depth"]), (&8.into(), &0.into()));
        db.close().await.unwrap();
    });
}

#[test]
fn lines_of_a_client_that_went_away_are_written_before_the_end() {
    let back_ends = Arc::new(BackEnds::new());
    let app = TestApp::start_on(back_ends.clone(), &[]);
    let three = json!(vec![line("gone", "m"); 3]);
    app.run(async {
        let db = app.db().await;
        let lock = keep_writer_out(&db).await;
        tokio::select! {
            _ = post(&app, "/api/logs/batch", &three) => panic!("it was answered"),
            () = until_queued(&app, 3) => {}
        }
        drop(lock);
        db.close().await.unwrap();
    });
    drop(app);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = Db::connect(&back_ends.database(1)).await.unwrap();
        let count = "SELECT COUNT(*) FROM log_lines WHERE device_id = 'gone'";
        let count = Statement::from_string(db.get_database_backend(), count);
        let row = db.query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 3);
        db.close().await.unwrap();
    });
}
