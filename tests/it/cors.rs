//! CORS: pages of the configured origins may call; other origins get no CORS headers.

use reqwest::{Method, Response};

use crate::support::{TestApp, header, problem};

const ORIGIN: &str = "https://school.example";
const ALLOWED: [&str; 1] = ["--cors-origins=https://school.example,http://localhost:5173"];
const FROM_PROXIES: [&str; 1] = ["--trusted-proxies=127.0.0.0/8"];

async fn from(app: &TestApp, method: Method, path: &str, origin: &str) -> Response {
    let request = app.app(method, path).header("origin", origin);
    let request = request.header("access-control-request-method", "PUT");
    request.header("access-control-request-headers", "authorization").send().await.unwrap()
}

#[test]
fn an_origin_that_is_named_may_call_and_read_the_ids() {
    let app = TestApp::start_with(&ALLOWED);
    app.run(async {
        for path in ["/api/posts/v2/fast", "/health/live", "/api/v2/nope"] {
            let response = from(&app, Method::GET, path, ORIGIN).await;
            assert_eq!(header(&response, "access-control-allow-origin"), ORIGIN, "{path}");
            let exposed = header(&response, "access-control-expose-headers");
            for name in ["x-request-id", "x-trace-id", "server-timing", "retry-after"] {
                assert!(exposed.contains(name), "{path}: {exposed}");
            }
            assert!(exposed.contains("ratelimit-remaining"), "{exposed}");
            let vary = response.headers().get_all("vary").iter();
            let vary: Vec<_> = vary.map(|line| line.to_str().unwrap()).collect();
            assert!(vary.join(",").contains("origin"), "{path}: {vary:?}");
        }
    });
}

#[test]
fn a_preflight_is_answered_for_every_route() {
    let app = TestApp::start_with(&ALLOWED);
    app.run(async {
        for path in ["/api/posts/v2/fast", "/api/posts/v1/slow", "/health", "/api/v1/todos/7"] {
            let response = from(&app, Method::OPTIONS, path, "http://localhost:5173").await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(header(&response, "access-control-allow-origin"), "http://localhost:5173");
            assert_eq!(
                header(&response, "access-control-allow-methods"),
                "GET,HEAD,POST,PUT,DELETE"
            );
            assert_eq!(
                header(&response, "access-control-allow-headers"),
                "authorization,content-type,x-request-id,traceparent"
            );
            assert_ne!(header(&response, "x-request-id"), "", "{path}");
        }
    });
}

#[test]
fn only_a_preflight_is_answered_for_the_routes() {
    let app = TestApp::start_with(&ALLOWED);
    app.run(async {
        for header_alone in ["origin", "access-control-request-method"] {
            for (path, status, allow) in [
                ("/api/posts/v2/fast", 405, "GET,HEAD"),
                ("/api/v1/auth/login", 405, "POST"),
                ("/nope", 404, ""),
            ] {
                let request = app.app(Method::OPTIONS, path).header(header_alone, ORIGIN);
                let response = request.send().await.unwrap();
                assert_eq!(
                    (response.status().as_u16(), header(&response, "allow")),
                    (status, allow),
                    "{path}"
                );
                problem(response).await;
            }
        }
    });
}

#[test]
fn other_origins_are_told_nothing() {
    let app = TestApp::start_with(&ALLOWED);
    app.run(async {
        for origin in ["https://school.example.evil.example", "http://school.example", "null"] {
            for method in [Method::GET, Method::OPTIONS] {
                let response = from(&app, method, "/api/posts/v2/fast", origin).await;
                assert_eq!(header(&response, "access-control-allow-origin"), "", "{origin}");
            }
        }
    });
}

#[test]
fn without_origins_there_is_no_header_and_no_preflight() {
    let app = TestApp::start();
    app.run(async {
        let response = from(&app, Method::GET, "/api/posts/v2/fast", ORIGIN).await;
        assert_eq!(header(&response, "access-control-allow-origin"), "");
        let preflight = from(&app, Method::OPTIONS, "/api/posts/v2/fast", ORIGIN).await;
        assert_eq!(preflight.status(), 405);
    });
}

#[test]
fn tls_is_demanded_only_from_who_came_over_it_through_a_trusted_proxy() {
    let app = TestApp::start_with(&FROM_PROXIES);
    let alone = TestApp::start();
    app.run(async {
        let get = async |app: &TestApp, path: &str, scheme: &str| {
            let request = app.app(Method::GET, path).header("x-forwarded-proto", scheme);
            let response = request.send().await.unwrap();
            header(&response, "strict-transport-security").to_owned()
        };
        for path in ["/health/live", "/nope"] {
            assert_eq!(get(&app, path, "https").await, "max-age=31536000", "{path}");
            assert_eq!(get(&app, path, "http").await, "");
            assert_eq!(get(&app, path, "https, http").await, "");
            assert_eq!(get(&alone, path, "https").await, "", "anybody can write that header");
        }
    });
}
