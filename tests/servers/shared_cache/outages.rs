//! Two servers while their Redis goes down and comes back.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::redis_server::RedisServer;
use crate::support::{Session, TestApp};

const SECRET: &str = "--jwt-secret=the same on both instances, 32 bytes";

/// Two servers on this Redis and one database.
fn instances(redis: &RedisServer) -> [TestApp; 2] {
    let redis = format!("--redis-url={}", redis.url());
    let first = TestApp::start_with(&[&redis, SECRET]);
    let second = TestApp::start_beside(&first, &[&redis, SECRET]);
    [first, second]
}

async fn create(app: &TestApp, session: &Session) -> Value {
    let request = app.as_user(session, Method::POST, "/api/v2/todos");
    let answer = request.json(&json!({"title": "t"})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

async fn created_here_is_read_there(apps: &[TestApp; 2], session: &Session) {
    for n in 0..20 {
        let (here, there) = (&apps[n % 2], &apps[(n + 1) % 2]);
        // The absence of this todo may be cached.
        let next = create(here, session).await["id"].as_i64().unwrap() + 1;
        let read = async |id: i64| {
            let path = format!("/api/v2/todos/{id}");
            let answer = there.as_user(session, Method::GET, &path).send().await.unwrap();
            answer.status()
        };
        assert_eq!(read(next).await, StatusCode::NOT_FOUND);
        let todo = create(here, session).await;
        assert_eq!(todo["id"], next);
        assert_eq!(read(next).await, StatusCode::OK);
        let list = there.as_user(session, Method::GET, "/api/v2/todos").send().await.unwrap();
        assert_eq!(list.json::<Value>().await.unwrap()[0], todo);
    }
}

#[test]
fn what_one_instance_creates_another_reads_at_once_with_redis_and_without() {
    let mut server = RedisServer::start();
    let apps = instances(&server);
    let session = apps[0].run(apps[0].sign_up("both"));
    apps[0].run(created_here_is_read_there(&apps, &session));
    server.kill();
    apps[0].run(created_here_is_read_there(&apps, &session));
    server.restart();
    apps[0].run(created_here_is_read_there(&apps, &session));
}

#[test]
fn no_request_fails_while_redis_is_killed_and_started_again() {
    no_request_fails(|server, is_up| if is_up { server.restart() } else { server.kill() });
}

#[test]
fn no_request_fails_while_redis_is_frozen_and_goes_on() {
    no_request_fails(|server, is_up| {
        server.signal(if is_up { Signal::SIGCONT } else { Signal::SIGSTOP });
    });
}

/// Waits until the instance is ready with Redis as it is now. Not by its first answer: a database that eight
/// clients write to may take longer than the second in which readiness wants it to answer.
async fn ready(app: &TestApp) {
    for _ in 0..100 {
        let answer = app.get("/health/ready").await;
        if answer.status() == StatusCode::OK {
            return;
        }
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains("database"), "{problem}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never ready");
}

fn no_request_fails(switch: impl Fn(&mut RedisServer, bool)) {
    let mut server = RedisServer::start();
    let apps = instances(&server);
    let session = apps[0].run(apps[0].sign_up("outage"));
    let (is_done, requests) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = async |n: usize| {
        let app = &apps[n % 2];
        while !is_done.load(SeqCst) {
            let todo = create(app, &session).await;
            let path = format!("/api/v{}/todos/{}", 1 + n / 2 % 2, todo["id"]);
            let answer = app.as_user(&session, Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let answer = app.as_user(&session, Method::DELETE, &path).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            let answer = app.as_user(&session, Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND);
            requests.fetch_add(4, SeqCst);
        }
    };
    let chaos = async {
        for _ in 0..3 {
            for is_up in [false, true] {
                tokio::time::sleep(Duration::from_millis(500)).await;
                switch(&mut server, is_up);
                ready(&apps[0]).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        is_done.store(true, SeqCst);
    };
    apps[0].run(async { tokio::join!(chaos, join_all((0..8).map(client))) });
    assert!(requests.load(SeqCst) > 100);
}
