//! A server that no longer answers blocks no request, connection or thread: its processes are
//! stopped, the network is dead, or a lock is never released.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::{join, join_all};
use product::{config::DatabaseConfig, db::Db};
use reqwest::{Method, RequestBuilder, Response};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use server::lifecycle::open_database;
use tokio::time::{sleep, timeout};

use crate::{
    backends::BackEnds,
    line::Line,
    postgres::OwnServer,
    support::{Session, TestApp, header, problem},
};

/// Longer than every deadline: a request without an answer by then has failed.
const NEVER: Duration = Duration::from_secs(45);

/// Clients that write at once.
const CLIENTS: usize = 16;

/// More than the pool has connections.
const MANY: usize = 30;

async fn answer(request: RequestBuilder) -> Response {
    timeout(NEVER, request.send()).await.expect("no answer").unwrap()
}

/// One write of four kinds; its text is searched for later.
fn write(app: &TestApp, session: &Session, n: usize, text: &str) -> RequestBuilder {
    let post = |path: &str| app.as_user(session, Method::POST, path);
    match n % 4 {
        0 => post("/api/v1/todos").json(&json!({ "title": text })),
        1 => post("/api/v2/todos").json(&json!({ "title": text })),
        2 => post("/api/posts").json(&json!({ "title": text, "body": "b" })),
        _ => {
            post("/api/log").json(&json!({"device_id": "d", "log_level": "INFO", "message": text}))
        }
    }
}

/// True if the write succeeded; otherwise the answer must say that it can be retried.
async fn is_done(response: Response) -> bool {
    if response.status().is_success() {
        return true;
    }
    assert_eq!(response.status(), 503);
    assert!(!header(&response, "retry-after").is_empty());
    problem(response).await;
    false
}

async fn until(condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(NEVER, waiting).await.expect("it did not come to that");
}

async fn texts(db: &Db) -> BTreeSet<String> {
    let all = "SELECT title FROM todos UNION ALL SELECT title FROM posts \
               UNION ALL SELECT message FROM log_lines";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), all)).await;
    rows.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[test]
fn a_frozen_postgresql_is_503_at_once_and_works_again_without_a_restart() {
    let postgres = OwnServer::start();
    let app = TestApp::start_with(&["--database-url", &postgres.0]);
    app.run(async {
        let session = app.sign_up("frozen").await;
        let (is_over, mut stored) = (AtomicBool::new(false), BTreeSet::new());
        let refused: Vec<_> = (0..CLIENTS).map(|_| AtomicUsize::new(0)).collect();
        let done: Vec<_> = (0..CLIENTS).map(|_| AtomicUsize::new(0)).collect();
        let client = async |n: usize| {
            let mut acknowledged = Vec::new();
            for round in 0.. {
                if is_over.load(SeqCst) {
                    break;
                }
                let text = format!("client {n}, round {round}");
                if is_done(answer(write(&app, &session, n, &text)).await).await {
                    acknowledged.push(text);
                    done[n].fetch_add(1, SeqCst);
                } else {
                    refused[n].fetch_add(1, SeqCst);
                    sleep(Duration::from_millis(20)).await;
                }
            }
            acknowledged
        };
        let all = |counts: &[AtomicUsize], least: &[usize]| {
            counts.iter().zip(least).all(|(count, least)| count.load(SeqCst) > *least)
        };
        let now =
            |counts: &[AtomicUsize]| counts.iter().map(|c| c.load(SeqCst)).collect::<Vec<_>>();
        let ready = async || answer(app.app(Method::GET, "/health/ready")).await.status();
        let fault = async {
            for _ in 0..2 {
                let before = now(&done);
                until(async || all(&done, &before)).await;
                postgres.tell("freeze");
                let before = now(&refused);
                until(async || all(&refused, &before)).await;
                assert_eq!(ready().await, 503);
                let read = answer(app.app(Method::GET, "/api/posts/v2/fast")).await;
                assert!(!is_done(read).await);
                assert_eq!(app.get("/health/live").await.status(), 200);
                postgres.tell("thaw");
                until(async || ready().await == 200).await;
                let before = now(&done);
                until(async || all(&done, &before)).await;
            }
            is_over.store(true, SeqCst);
        };
        let (acknowledged, ()) = join(join_all((0..CLIENTS).map(client)), fault).await;
        stored.extend(acknowledged.into_iter().flatten());
        let db = Db::connect(&DatabaseConfig::of(postgres.0.clone(), 1)).await.unwrap();
        let lost: Vec<_> = stored.difference(&texts(&db).await).cloned().collect();
        assert!(lost.is_empty(), "{lost:?}");
        db.close().await.unwrap();
    });
}

#[test]
fn readiness_alone_notices_that_postgresql_is_frozen() {
    let postgres = OwnServer::start();
    let app = TestApp::start_with(&["--database-url", &postgres.0]);
    app.run(async {
        let ready = async || answer(app.app(Method::GET, "/health/ready")).await.status();
        assert_eq!(ready().await, 200);
        postgres.tell("freeze");
        // More often than the pool has connections, none of which may stay blocked.
        for _ in 0..MANY {
            assert_eq!(ready().await, 503);
        }
        postgres.tell("thaw");
        until(async || ready().await == 200).await;
        let reads = (0..MANY).map(|_| answer(app.app(Method::GET, "/api/posts?limit=1")));
        assert!(join_all(reads).await.iter().all(|read| read.status() == 200));
    });
}

#[test]
fn a_statement_that_waits_too_long_for_a_lock_is_503_and_its_connection_serves_the_next() {
    let app = TestApp::start_with(&["--statement-timeout=1s"]);
    app.run(async {
        let session = app.sign_up("locked").await;
        let db = app.db().await;
        let lock = db.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE todos IN ACCESS EXCLUSIVE MODE").await.unwrap();
        let writes = || join_all((0..MANY).map(|n| answer(write(&app, &session, n % 2, "t"))));
        for refused in writes().await {
            assert!(!is_done(refused).await);
        }
        // Only that table is affected.
        assert!(is_done(answer(write(&app, &session, 2, "a post")).await).await);
        assert_eq!(app.get("/health/ready").await.status(), 200);
        drop(lock);
        until(async || is_done(answer(write(&app, &session, 0, "t")).await).await).await;
        for written in writes().await {
            assert!(is_done(written).await);
        }
        db.close().await.unwrap();
    });
}

#[test]
fn connections_whose_line_is_dead_are_replaced() {
    let back_ends = std::sync::Arc::new(BackEnds::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let line = runtime.block_on(Line::to(&back_ends.database_url()));
    let url = line.url(&back_ends.database_url());
    let app = TestApp::start_on(back_ends, &["--database-url", &url, "--statement-timeout=1s"]);
    app.run(async {
        let session = app.sign_up("dead").await;
        let writes = || join_all((0..MANY).map(|n| answer(write(&app, &session, n, "t"))));
        for written in writes().await {
            assert!(is_done(written).await);
        }
        line.break_connections();
        writes().await;
        until(async || {
            let mut all = true;
            for response in writes().await {
                all &= is_done(response).await;
            }
            all
        })
        .await;
    });
}

#[tokio::test]
async fn a_begin_that_nobody_waits_for_any_more_leaves_no_transaction_open() {
    let back_ends = BackEnds::new();
    open_database(&back_ends.database(1)).await.unwrap().close().await.unwrap();
    let line = Line::to(&back_ends.database_url()).await;
    let url = line.url(&back_ends.database_url());
    let db = Db::connect(&DatabaseConfig::of(url, 1)).await.unwrap();
    line.hold_up();
    assert!(timeout(Duration::from_millis(200), db.begin()).await.is_err());
    line.go_on();
    let insert = "INSERT INTO log_lines (device_id, log_level, message, created_at) \
                  VALUES ('d', 20, 'acknowledged', now())";
    db.execute_unprepared(insert).await.unwrap();
    let other = Db::connect(&back_ends.database(1)).await.unwrap();
    assert!(texts(&other).await.contains("acknowledged"), "it is not committed");
    for db in [db, other] {
        db.close().await.unwrap();
    }
}
