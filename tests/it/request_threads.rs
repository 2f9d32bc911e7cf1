//! Thread-per-request pool: a request of /api/v1 has its thread from dispatch to answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, http::Request, routing::get};
use futures_util::{StreamExt, stream::FuturesUnordered};
use observe::http::Observe;
use product::api::request_threads::RequestThreads;
use reqwest::Method;
use serde_json::json;
use tokio::{runtime::Handle, sync::Semaphore, task::yield_now};
use tower::ServiceExt;

use crate::support::{TestApp, header, problem};

/// State that the tests share with their handlers.
#[derive(Clone)]
struct Shared {
    started: Arc<AtomicU32>,
    finished: Arc<AtomicU32>,
    /// Permits for handlers to end.
    may_end: Arc<Semaphore>,
}

async fn handler(State(shared): State<Shared>) -> String {
    shared.started.fetch_add(1, SeqCst);
    shared.may_end.acquire().await.unwrap().forget();
    shared.finished.fetch_add(1, SeqCst);
    std::thread::current().name().unwrap_or_default().to_owned()
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

fn router(threads: u16) -> (Router, Shared) {
    let shared = Shared {
        started: Arc::default(),
        finished: Arc::default(),
        may_end: Arc::new(Semaphore::new(0)),
    };
    let held = RequestThreads::start(threads, &Handle::current()).unwrap();
    let router = Router::new()
        .route("/", get(handler))
        .route("/panics", get(panics))
        .layer(held)
        .layer(Observe::ops())
        .with_state(shared.clone());
    (router, shared)
}

async fn ask(router: &Router, path: &str) -> reqwest::Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    axum::http::Response::from_parts(parts, body).into()
}

async fn until(counter: &AtomicU32, count: u32) {
    while counter.load(SeqCst) < count {
        yield_now().await;
    }
}

fn queue_wait(response: &reqwest::Response) -> f64 {
    let timing = response.headers()["server-timing"].to_str().unwrap();
    let wait = timing.split_once("queue-wait;dur=").unwrap().1;
    wait.split([',', ';']).next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_while_every_thread_is_held() {
    let (router, shared) = router(1);
    let first = tokio::spawn({
        let router = router.clone();
        async move { ask(&router, "/").await }
    });
    until(&shared.started, 1).await;
    let second = tokio::spawn({
        let router = router.clone();
        async move { ask(&router, "/").await }
    });
    for _ in 0..1_000 {
        yield_now().await;
    }
    assert_eq!(shared.started.load(SeqCst), 1, "the one thread is held");
    shared.may_end.add_permits(2);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(queue_wait(&second) > 0.0 && queue_wait(&first) > 0.0);
    assert_eq!(first.text().await.unwrap(), "v1-thread-0");
    assert_eq!(second.text().await.unwrap(), "v1-thread-0");
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_requests_run_at_once_as_there_are_threads() {
    let (router, shared) = router(3);
    let spawn = || {
        let router = router.clone();
        tokio::spawn(async move { ask(&router, "/").await.text().await.unwrap() })
    };
    let asked: Vec<_> = (0..5).map(|_| spawn()).collect();
    until(&shared.started, 3).await;
    for _ in 0..1_000 {
        yield_now().await;
    }
    assert_eq!(shared.started.load(SeqCst), 3);
    shared.may_end.add_permits(5);
    for answer in asked {
        assert!(answer.await.unwrap().starts_with("v1-thread-"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn a_thread_that_only_waits_is_held_all_the_same() {
    let (router, shared) = router(1);
    let asked = tokio::spawn({
        let router = router.clone();
        async move { ask(&router, "/").await }
    });
    until(&shared.started, 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    shared.may_end.add_permits(1);
    let response = asked.await.unwrap();
    let timing = response.headers()["server-timing"].to_str().unwrap();
    let figure = |name: &str| -> f64 {
        let rest = timing.split_once(name).unwrap().1;
        rest.split([',', ';', ' ']).next().unwrap().parse().unwrap()
    };
    let [busy, off_cpu, longest] = ["busy;dur=", "off-cpu;dur=", "poll;dur="].map(figure);
    assert!(busy >= 49.0 && off_cpu > 25.0 && longest >= 49.0, "{timing}");
    assert!(figure("switches;desc=\"") >= 1.0, "{timing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_waits_for_is_not_begun_but_one_begun_is_finished() {
    let (router, shared) = router(1);
    let ask = |router: Router| tokio::spawn(async move { ask(&router, "/").await });
    let running = ask(router.clone());
    until(&shared.started, 1).await;
    let queued = ask(router.clone());
    // The queued request must be in the queue before its client disconnects.
    for _ in 0..1_000 {
        yield_now().await;
    }
    running.abort();
    queued.abort();
    assert!(running.await.is_err() && queued.await.is_err());
    shared.may_end.add_permits(2);
    until(&shared.finished, 1).await;
    let answered = ask(router.clone()).await.unwrap();
    assert_eq!(answered.status(), 200);
    assert_eq!((shared.started.load(SeqCst), shared.finished.load(SeqCst)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_answered_and_its_thread_goes_on() {
    let (router, shared) = router(1);
    for _ in 0..3 {
        let response = ask(&router, "/panics").await;
        assert_eq!(response.status(), 500);
        problem(response).await;
    }
    shared.may_end.add_permits(1);
    assert_eq!(ask(&router, "/").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_when_the_queue_is_full_is_told_to_come_again() {
    let (router, shared) = router(1);
    let held = tokio::spawn({
        let router = router.clone();
        async move { ask(&router, "/").await }
    });
    until(&shared.started, 1).await;
    // One more than the queue holds: only that one is answered.
    let mut asked: FuturesUnordered<_> = (0..10_001).map(|_| ask(&router, "/")).collect();
    let refused = asked.next().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    problem(refused).await;
    drop(asked);
    shared.may_end.add_permits(1);
    assert_eq!(held.await.unwrap().status(), 200);
}

#[test]
fn only_v1_waits_for_threads_and_it_answers_as_v2_does() {
    let app = TestApp::start_with(&["--v1-threads=1"]);
    app.run(async {
        let register = |version: &str, n: u32| {
            let name = format!("ada_{version}_{n}");
            let email = format!("{name}@example.org");
            let body = json!({ "username": name, "email": email, "password": "correct horse" });
            let path = format!("/api/{version}/auth/register");
            app.app(Method::POST, &path).json(&body).send()
        };
        for (version, waits) in [("v1", true), ("v2", false)] {
            let all = (0..5).map(|n| register(version, n));
            for response in futures_util::future::try_join_all(all).await.unwrap() {
                assert_eq!(response.status(), 201, "{version}");
                let timing = header(&response, "server-timing");
                assert_eq!(timing.contains("queue-wait"), waits, "{version}: {timing}");
            }
            assert_eq!(register(version, 0).await.unwrap().status(), 409);
        }
    });
}

#[test]
fn a_body_that_is_slow_to_arrive_holds_no_thread() {
    let app = TestApp::start_with(&["--v1-threads=1"]);
    let address = app.url().strip_prefix("http://").unwrap().to_owned();
    app.run(async {
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
                    Content-Length: 100\r\n\r\n{";
        tokio::io::AsyncWriteExt::write_all(&mut slow, head.as_bytes()).await.unwrap();
        // A request is in the server once it is counted; the others then have the only thread.
        while !app.metrics().await.lines().any(|line| {
            line.starts_with("axum_http_requests_pending")
                && line.contains("/api/v1/auth/login")
                && line.ends_with(" 1")
        }) {
            tokio::task::yield_now().await;
        }
        // Much less than the body timeout, and much more than an answer takes.
        let answer = tokio::time::timeout(Duration::from_secs(15), app.get("/api/v1/todos")).await;
        assert_eq!(answer.expect("the thread is held").status(), 401);
    });
}
