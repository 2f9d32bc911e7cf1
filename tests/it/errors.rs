//! Every error answer has one shape, with the ids that lead to the log.

use axum::{Router, body::Body, http::Request, routing::get};
use observe::http::Observe;
use product::error::{self, Error};
use reqwest::Method;
use sea_orm::{ConnAcquireErr, DbErr};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{TestApp, header, problem};

#[test]
fn an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    let app = TestApp::start();
    app.run(async {
        let missing = app.get("/api/labs/nope/v1/slow").await;
        assert_eq!(missing.status(), 404);
        problem(missing).await;

        let wrong = app.app(Method::DELETE, "/api/posts/v2/fast").send().await.unwrap();
        assert_eq!(wrong.status(), 405);
        assert_eq!(header(&wrong, "allow"), "GET,HEAD");
        problem(wrong).await;
    });
}

#[test]
fn every_answer_carries_ids_timing_and_security_headers() {
    let app = TestApp::start();
    app.run(async {
        for path in
            ["/", "/health", "/health/live", "/api/posts/v2/fast", "/nope", "/web/x/front/main.js"]
        {
            let response = app.get(path).await;
            for name in ["x-request-id", "x-trace-id", "server-timing", "content-security-policy"] {
                assert_ne!(header(&response, name), "", "{path} {name}");
            }
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header(&response, "x-frame-options"), "DENY", "{path}");
            assert_eq!(header(&response, "referrer-policy"), "no-referrer", "{path}");
        }
    });
}

#[test]
fn the_ids_of_the_client_are_taken_over_only_if_they_are_sane() {
    let app = TestApp::start();
    app.run(async {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let send = |request_id: &'static str| {
            app.app(Method::GET, "/health/live")
                .header("x-request-id", request_id)
                .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
                .send()
        };
        let sane = send("order-17").await.unwrap();
        assert_eq!(header(&sane, "x-request-id"), "order-17");
        assert_eq!(header(&sane, "x-trace-id"), trace);
        let replaced = send("{\"level\":\"forged\"}").await.unwrap();
        assert_eq!(header(&replaced, "x-request-id").len(), 32);
    });
}

#[test]
fn every_bad_parameter_is_named() {
    let app = TestApp::start();
    app.run(async {
        let bad = app.get_ops("/debug/pprof/profile?seconds=0&hz=x&mode=both").await;
        assert_eq!(bad.status(), 422);
        let problem = problem(bad).await;
        let fields: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        assert_eq!(fields, ["mode", "seconds", "hz"]);

        for query in ["", "?variant=nope", "?variant=slow&since=yesterday"] {
            let path = format!("/labs/n-plus-one/measurements{query}");
            assert_eq!(app.get_ops(&path).await.status(), 422, "{path}");
        }
        let unknown = app.get_ops("/labs/nope/measurements?variant=slow").await;
        assert_eq!(unknown.status(), 404);
        crate::support::problem(unknown).await;
    });
}

#[test]
fn ops_demands_its_token() {
    let app = TestApp::start_with(&["--ops-token", "0123456789abcdef"]);
    app.run(async {
        for path in ["/metrics", "/labs", "/debug/pprof/profile", "/nope"] {
            for sent in [None, Some("Bearer 0123456789abcdeX"), Some("Bearer 0123456789abcdef0")] {
                let mut request = app.ops(Method::GET, path);
                if let Some(sent) = sent {
                    request = request.header("authorization", sent);
                }
                let refused = request.send().await.unwrap();
                assert_eq!(refused.status(), 401, "{path} {sent:?}");
                assert_eq!(header(&refused, "www-authenticate"), "Bearer realm=\"chokepoint\"");
                problem(refused).await;
            }
        }
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let allowed = app.ops(Method::GET, "/metrics");
            let allowed = allowed.header("authorization", format!("{scheme} 0123456789abcdef"));
            assert_eq!(allowed.send().await.unwrap().status(), 200, "{scheme}");
        }
    });
}

#[test]
fn odd_requests_get_an_answer_and_never_a_500() {
    let app = TestApp::start();
    app.run(async {
        let long = format!("/api/{}", "a".repeat(8_000));
        for path in
            ["/%00", "/%ff%fe", "/api//posts", "/api/posts/v1/slow/", "/..%2f", &long, "/?a=%zz"]
        {
            for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS, Method::PATCH]
            {
                let response = app.app(method.clone(), path).send().await.unwrap();
                assert!(response.status().as_u16() < 500, "{method} {path} {}", response.status());
            }
        }
        for path in ["/labs/%00", "/labs/%ff", "/labs/a/measurements?variant=%ff&variant=slow"] {
            let response = app.get_ops(path).await;
            assert_eq!(response.status(), 404, "{path}");
            problem(response).await;
        }
    });
}

/// Answer of one handler inside the layers that every handler has.
async fn answer(router: Router) -> (axum::http::response::Parts, serde_json::Value) {
    let layered = router.layer(CatchPanicLayer::custom(error::panicked)).layer(Observe::ops());
    let request = Request::get("/").body(Body::empty()).unwrap();
    let (parts, body) = layered.oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_handler_that_panics_is_a_500_like_any_other() {
    async fn panics() -> Error {
        panic!("secret detail")
    }
    let (parts, problem) = answer(Router::new().route("/", get(panics))).await;
    assert_eq!(parts.status, 500);
    assert_eq!(parts.headers["content-type"], "application/problem+json");
    assert_eq!(problem["request_id"], parts.headers["x-request-id"].to_str().unwrap());
    assert!(!problem.to_string().contains("secret detail"), "{problem}");
}

#[tokio::test]
async fn a_database_that_cannot_be_had_is_503_with_retry_after() {
    let down = get(async || Error::from(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)));
    let (parts, problem) = answer(Router::new().route("/", down)).await;
    assert_eq!(parts.status, 503);
    assert_eq!(parts.headers["retry-after"], "1");
    assert_eq!(problem["detail"], "the database is not available");
}

#[test]
fn bare_serves_the_same_answer_without_any_layer() {
    let (app, bare) = (TestApp::start(), TestApp::start_with(&["--bare=true"]));
    let full = app.run(async { app.get("/api/posts/v2/fast").await.text().await.unwrap() });
    bare.run(async {
        let response = bare.get("/api/posts/v2/fast").await;
        assert_eq!(header(&response, "server-timing"), "");
        assert_eq!(response.text().await.unwrap(), full);
    });
}
