//! Rate limits: a refusal says when to retry, and affects no other caller.

use std::{net::IpAddr, time::Duration};

use axum::{http::HeaderMap, response::IntoResponse};
use clap::Parser;
use product::{
    api::limits::{Limits, Shared},
    cache::Cache,
    config::{CacheConfig, LimitsConfig},
    error::Error,
    quota::Quota,
};
use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{TestApp, header, problem};

#[derive(Parser)]
#[command(args_override_self = true)]
struct Flags {
    #[command(flatten)]
    limits: LimitsConfig,
}

fn limits(flags: &[&str]) -> Limits {
    limits_with(flags, None)
}

fn limits_with(flags: &[&str], shared: Option<Shared>) -> Limits {
    let defaults = ["--rate-limit-login=3/h", "--rate-limit-register=2/h", "--rate-limit-api=4/h"];
    Limits::new(&Flags::parse_from([&["limits"], &defaults[..], flags].concat()).limits, shared)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn left(counted: Result<Option<Quota>, Error>) -> u32 {
    counted.unwrap().unwrap().remaining
}

fn refused(counted: Result<Option<Quota>, Error>) -> Error {
    counted.unwrap_err()
}

#[tokio::test]
async fn logins_are_counted_by_account_and_address_together() {
    let limits = limits(&[]);
    let class = ip("192.0.2.1");
    for expected in [2, 1, 0] {
        assert_eq!(left(limits.login(class, "ada@example.org").await), expected);
    }
    refused(limits.login(class, "ada@example.org").await);
    // Another pupil behind the same address, and the same account at another address.
    assert_eq!(left(limits.login(class, "bob@example.org").await), 2);
    assert_eq!(left(limits.login(ip("198.51.100.7"), "ada@example.org").await), 2);
}

#[tokio::test]
async fn registrations_are_counted_by_address_and_requests_by_user() {
    let limits = limits(&[]);
    assert_eq!(left(limits.register(ip("2001:db8::1")).await), 1);
    assert_eq!(left(limits.register(ip("2001:db8::2")).await), 0);
    refused(limits.register(ip("2001:db8::3")).await);
    assert_eq!(left(limits.register(ip("2001:db8:0:100::1")).await), 1);
    assert_eq!(left(limits.api(11).await), 3);
    assert_eq!(left(limits.api(11).await), 2);
    assert_eq!(left(limits.api(12).await), 3);
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let limits = limits(&["--rate-limit-register=2/h"]);
    let address = ip("192.0.2.1");
    let mut headers = HeaderMap::new();
    limits.register(address).await.unwrap().unwrap().add_to(&mut headers);
    for (name, value) in
        [("ratelimit-limit", "2"), ("ratelimit-remaining", "1"), ("ratelimit-reset", "1800")]
    {
        assert_eq!(headers[name], value, "{name}");
    }
    assert!(!headers.contains_key("retry-after"));
    limits.register(address).await.unwrap();
    let response = refused(limits.register(address).await).into_response();
    assert_eq!(response.status(), 429);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["ratelimit-limit"], "2");
    assert_eq!(headers["ratelimit-remaining"], "0");
    assert_eq!(headers["retry-after"], headers["ratelimit-reset"]);
    let seconds: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1_700..=1_800).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_limit_that_is_off_counts_nobody() {
    let limits = limits(&["--rate-limit-login=off", "--rate-limit-login-address=off"]);
    for _ in 0..100 {
        assert_eq!(limits.login(ip("192.0.2.1"), "ada@example.org").await.unwrap(), None);
    }
    assert_eq!(left(limits.register(ip("192.0.2.1")).await), 1);
}

#[tokio::test]
async fn no_more_pass_than_the_limit_however_many_ask_at_once() {
    let limits = limits(&["--rate-limit-api=100/h"]);
    let ask = |_| {
        let limits = limits.clone();
        tokio::spawn(async move { limits.api(11).await.is_ok() })
    };
    let requests: Vec<_> = (0..500).map(ask).collect();
    let mut passed = 0;
    for request in requests {
        passed += usize::from(request.await.unwrap());
    }
    assert_eq!(passed, 100);
}

#[tokio::test]
async fn while_redis_is_down_this_process_counts() {
    // This port is closed again.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = CacheConfig {
        redis_url: Some(format!("redis://{gone}")),
        redis_url_file: None,
        latency_cache: Duration::ZERO,
        bloom_false_positives: 0.01,
    };
    let cache = Cache::open(&config).await.unwrap();
    let limits = limits_with(&[], cache.redis().map(Shared::new));
    let address = ip("192.0.2.1");
    assert_eq!(left(limits.register(address).await), 1);
    assert_eq!(left(limits.register(address).await), 0);
    refused(limits.register(address).await);
}

async fn log_in(app: &TestApp, version: &str, email: &str, from: &str) -> Response {
    let request = app.app(Method::POST, &format!("/api/{version}/auth/login"));
    let body = json!({ "email": email, "password": "wrong password" });
    request.header("x-forwarded-for", from).json(&body).send().await.unwrap()
}

#[test]
fn guessing_at_one_account_is_refused_and_its_neighbours_log_in() {
    let app = TestApp::start_with(&["--rate-limit-login=2/h", "--trusted-proxies=127.0.0.1"]);
    app.run(async {
        for (version, remaining) in [("v1", "1"), ("v2", "0")] {
            let wrong = log_in(&app, version, "ada@example.org", "192.0.2.1").await;
            assert_eq!(wrong.status(), 401);
            assert_eq!(header(&wrong, "ratelimit-remaining"), remaining);
        }
        for version in ["v1", "v2"] {
            let refused = log_in(&app, version, "ADA@example.org", "192.0.2.1").await;
            assert_eq!(refused.status(), 429);
            assert_ne!(header(&refused, "retry-after"), "");
            problem(refused).await;
            let neighbour = format!("{version}@example.org");
            assert_eq!(log_in(&app, version, &neighbour, "192.0.2.1").await.status(), 401);
            let elsewhere = if version == "v1" { "198.51.100.1" } else { "2001:db8::1" };
            let at_home = log_in(&app, version, "ada@example.org", elsewhere).await;
            assert_eq!(at_home.status(), 401);
        }
        // A body that names no account is refused as invalid, and not counted as a log-in.
        let path = "/api/v2/auth/login";
        let empty = app.app(Method::POST, path).json(&json!({})).send().await.unwrap();
        assert_eq!((empty.status().as_u16(), header(&empty, "ratelimit-limit")), (422, ""));
        let text = app.app(Method::POST, path).body("email").send().await.unwrap();
        assert_eq!(text.status(), 415);
    });
}

#[test]
fn a_header_that_anybody_can_write_makes_nobody_somebody_else() {
    let app = TestApp::start_with(&["--rate-limit-register=2/h"]);
    app.run(async {
        let register = async |from: &str| {
            let request = app.app(Method::POST, "/api/v2/auth/register");
            let request = request.header("x-forwarded-for", from).json(&json!({}));
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(register("192.0.2.1").await, 422);
        assert_eq!(register("192.0.2.2").await, 422);
        assert_eq!(register("192.0.2.3").await, 429);
    });
}

#[test]
fn requests_are_counted_by_user_and_those_of_nobody_are_not() {
    let app = TestApp::start_with(&["--rate-limit-api=2/h"]);
    app.run(async {
        let session = app.sign_up("ada").await;
        let list = async |authorization: String| {
            let request = app.app(Method::GET, "/api/v2/todos");
            request.header("authorization", authorization).send().await.unwrap()
        };
        let ours = format!("Bearer {}", session.token);
        assert_eq!(header(&list(ours.clone()).await, "ratelimit-remaining"), "1");
        let again = list(format!("bearer  {}", session.token)).await;
        assert_eq!(header(&again, "ratelimit-remaining"), "0");
        assert_eq!(list(ours).await.status(), 429);
        for nobody in ["Bearer b", "Basic a"] {
            let refused = list(nobody.to_owned()).await;
            assert_eq!((refused.status().as_u16(), header(&refused, "ratelimit-limit")), (401, ""));
        }
        assert_eq!(app.get("/health").await.status(), 200);
    });
}
