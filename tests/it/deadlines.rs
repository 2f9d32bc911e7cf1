//! Deadlines: a request that takes too long is answered, and its thread and connection are free.

use std::time::Duration;

use futures_util::future::join_all;
use product::db::Transaction;
use reqwest::{Method, Response};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    program,
    support::{Session, TestApp, header, problem},
};

/// Longer than every deadline.
const NEVER: Duration = Duration::from_secs(45);

/// Takes the write lock of the file and keeps it.
async fn write_lock(app: &TestApp) -> Transaction {
    app.db().await.begin().await.unwrap()
}

async fn writes(app: &TestApp, session: &Session) -> Vec<Response> {
    let line = json!({"device_id": "d", "log_level": "INFO", "message": "m"});
    let bodies = [
        ("/api/v1/todos", json!({"title": "t"})),
        ("/api/v2/todos", json!({"title": "t"})),
        ("/api/posts", json!({"title": "t", "body": "b"})),
        ("/api/log", line),
    ];
    let sent = bodies.iter().map(|(path, body)| {
        timeout(NEVER, app.as_user(session, Method::POST, path).json(body).send())
    });
    join_all(sent).await.into_iter().map(|answer| answer.expect("no answer").unwrap()).collect()
}

async fn until_all_are_written(app: &TestApp, session: &Session) {
    let all = async {
        while !writes(app, session).await.iter().all(|answer| answer.status().is_success()) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(NEVER, all).await.expect("writes do not work again");
}

/// Refusals of writers under this setting while none can write.
async fn refusals(app: &TestApp, session: &Session) -> Vec<String> {
    let lock = write_lock(app).await;
    let refused = writes(app, session).await;
    for path in ["/api/v1/todos", "/api/v2/todos", "/api/posts?limit=1", "/api/posts/v2/fast"] {
        let read = app.as_user(session, Method::GET, path).send().await.unwrap();
        assert_eq!(read.status(), 200, "{path}");
    }
    drop(lock);
    let mut details = Vec::new();
    for answer in refused {
        assert_eq!(answer.status(), 503);
        assert_eq!(header(&answer, "retry-after"), "1");
        details.push(problem(answer).await["detail"].as_str().unwrap().to_owned());
    }
    until_all_are_written(app, session).await;
    details
}

#[test]
fn a_request_that_takes_too_long_is_503_and_gives_its_thread_back() {
    let app = TestApp::start_with(&["--request-timeout=1s", "--v1-threads=1"]);
    app.run(async {
        let session = app.sign_up("late").await;
        for detail in refusals(&app, &session).await {
            assert!(detail.contains("within the 1s that a request may take"), "{detail}");
        }
    });
}

#[test]
fn a_statement_that_takes_too_long_is_503() {
    let app = TestApp::start_with(&["--statement-timeout=1s"]);
    app.run(async {
        let session = app.sign_up("late").await;
        for detail in refusals(&app, &session).await {
            assert_eq!(detail, "the database is not available");
        }
    });
}

#[test]
fn who_waits_too_long_for_a_turn_to_write_is_503() {
    let app = TestApp::start_with(&["--db-acquire-timeout=1s"]);
    app.run(async {
        let session = app.sign_up("late").await;
        for detail in refusals(&app, &session).await {
            assert_eq!(detail, "the database is not available");
        }
    });
}

#[test]
fn a_deadline_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, value) in [
        ("--request-timeout", "0"),
        ("--request-timeout", "2h"),
        ("--statement-timeout", "soon"),
        ("--statement-timeout", "500ms"),
        ("--db-acquire-timeout", "off"),
    ] {
        let output = program::run(&folder, &[&format!("{flag}={value}")]);
        let error = program::text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flag}={value}: {error}");
        assert!(error.contains(flag) && error.contains("from 1s to 1h"), "{error}");
    }
}
