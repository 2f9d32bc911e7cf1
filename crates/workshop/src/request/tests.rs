//! Requests as they are sent, and users who sign up at a server of the test.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use axum::{Json, Router, http::StatusCode, routing::post};
use reqwest::Client;
use serde_json::{Value, json};

use super::Caller;
use crate::evidence::Evidence;

/// The request of a lab, in an otherwise plain lab.json.
fn evidence(request: Value) -> Evidence {
    let mut evidence = crate::evidence::tests::plain();
    evidence["request"] = request;
    Evidence::parse("a-lab", &evidence.to_string()).unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Auth routes of which every second account is there already.
async fn auth() -> (String, Arc<AtomicU32>) {
    let logins = Arc::new(AtomicU32::new(0));
    let counted = logins.clone();
    let token = |account: &Value| {
        let email = account["email"].as_str().unwrap();
        json!({ "access_token": format!("token of {}", email.split('@').next().unwrap()) })
    };
    let register = async move |Json(account): Json<Value>| {
        let is_known = account["username"].as_str().unwrap().ends_with(['2', '4']);
        let status = if is_known { StatusCode::CONFLICT } else { StatusCode::CREATED };
        (status, Json(token(&account)))
    };
    let login = async move |Json(account): Json<Value>| {
        counted.fetch_add(1, Relaxed);
        Json(token(&account))
    };
    let router = Router::new()
        .route("/api/v2/auth/register", post(register))
        .route("/api/v2/auth/login", post(login));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, logins)
}

#[tokio::test]
async fn a_request_is_what_lab_json_says() {
    let evidence = evidence(json!({
        "method": "POST",
        "mount": "/api/labs/a-lab",
        "query": { "q": "a b&{user}" },
        "headers": { "x-room": "room-{user}" },
        "log_in": true,
        "body": { "name": "guest-{n}", "n": "{n}", "seat": "{user}" },
    }));
    let (base, logins) = auth().await;
    let caller = Caller::new(client(), base.clone(), &evidence, 4).await.unwrap();
    assert_eq!(logins.load(Relaxed), 2, "users that are known log in");
    let expected: Vec<_> = (1..=4).map(|n| format!("token of virtual_user_{n}")).collect();
    assert_eq!(caller.tokens(), expected);

    let sent = |user| caller.request("yours", user).unwrap().build().unwrap();
    let request = sent(2);
    assert_eq!(request.method(), "POST");
    assert_eq!(request.url().as_str(), format!("{base}/api/labs/a-lab/v3/yours?q=a+b%262"));
    assert_eq!(request.headers()["x-room"], "room-2");
    assert_eq!(request.headers()["authorization"], "Bearer token of virtual_user_2");
    assert_eq!(request.headers()["content-type"], "application/json");
    let body = |request: &reqwest::Request| -> Value {
        serde_json::from_slice(request.body().unwrap().as_bytes().unwrap()).unwrap()
    };
    let (first, second) = (body(&request), body(&sent(2)));
    assert_eq!(first["seat"], 2);
    assert_eq!(first["name"], format!("guest-{}", first["n"]));
    assert_ne!(first["n"], second["n"], "no other request has the number");
    let refused = |session: &str, body: Option<Value>| {
        let mut refusal = json!({ "name": "in vain", "session": session, "status": 401 });
        if let Some(body) = body {
            refusal["body"] = body;
        }
        let refusal = serde_json::from_value(refusal).unwrap();
        caller.refused("yours", 2, &refusal).unwrap().build().unwrap()
    };
    let other = json!({ "seat": "{user}", "password": "wrong" });
    let request = refused("none", Some(other));
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(body(&request), json!({ "seat": 2, "password": "wrong" }));
    let request = refused("forged", None);
    assert_eq!(body(&request)["seat"], 2, "the body of the request itself");
    assert_eq!(super::forged("head.claims.abc"), "head.claims.cba");
    assert_ne!(request.headers()["authorization"], "Bearer token of virtual_user_2");
    let error = caller.request("yours", 5).err().unwrap();
    assert_eq!(error, "virtual user 5 is not logged in");
}

#[tokio::test]
async fn a_lab_without_log_in_signs_nobody_up() {
    let evidence = evidence(json!({ "method": "GET", "mount": "/api/labs/a-lab" }));
    // Nothing listens there.
    let base = "http://127.0.0.1:9".to_owned();
    let caller = Caller::new(client(), base, &evidence, 4).await.unwrap();
    let request = caller.request("some-fix", 4).unwrap().build().unwrap();
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/api/labs/a-lab/v4/some-fix");
    assert!(request.headers().is_empty() && request.body().is_none(), "{request:?}");
}

#[tokio::test]
async fn a_user_who_is_refused_is_named_with_the_answer() {
    let evidence = evidence(json!({ "method": "GET", "mount": "/api/labs/a-lab", "log_in": true }));
    let refuse = async || (StatusCode::TOO_MANY_REQUESTS, "30 in 60 seconds");
    let router = Router::new().route("/api/v2/auth/register", post(refuse));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let error = Caller::new(client(), base, &evidence, 1).await.err().unwrap();
    for part in ["virtual_user_1 can't log in", "429", "RATE_LIMIT_REGISTER", "30 in 60 seconds"] {
        assert!(error.contains(part), "{error}");
    }
}
