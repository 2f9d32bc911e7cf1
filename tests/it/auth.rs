//! Authentication: accounts, tokens, and how each ends.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Session, TestApp, header, problem};

pub async fn post(app: &TestApp, path: &str, body: &Value) -> Response {
    app.app(Method::POST, path).json(body).send().await.unwrap()
}

pub async fn refresh(app: &TestApp, session: &Session) -> Response {
    let body = json!({ "refresh_token": session.refresh_token });
    post(app, "/api/v2/auth/refresh", &body).await
}

/// Logs out. Needs a valid token, so a 401 shows without side effects that a token is invalid.
pub async fn log_out(app: &TestApp, version: &str, session: &Session) -> Response {
    let path = format!("/api/{version}/auth/logout");
    app.as_user(session, Method::POST, &path).send().await.unwrap()
}

async fn assert_refused(answer: Response) {
    assert_eq!(answer.status(), 401);
    assert!(header(&answer, "www-authenticate").starts_with("Bearer"));
    problem(answer).await;
}

#[test]
fn somebody_registers_logs_in_refreshes_and_logs_out_under_both_versions() {
    let app = TestApp::start();
    app.run(async {
        for version in ["v1", "v2"] {
            let at = |name: &str| format!("/api/{version}/auth/{name}");
            let email = format!("Ada.{version}@Example.com");
            let body = json!({ "username": format!("ada_{version}"), "email": email, "password": PASSWORD });
            let registered = post(&app, &at("register"), &body).await;
            assert_eq!(registered.status(), 201);
            let registered: Value = registered.json().await.unwrap();
            assert_eq!(registered["token_type"], "bearer");
            assert_eq!(registered["expires_in"], 900);
            assert_eq!(registered["email"], email.to_lowercase());

            let body = json!({ "email": email.to_uppercase(), "password": PASSWORD });
            let logged_in = post(&app, &at("login"), &body).await;
            assert_eq!(logged_in.status(), 200);
            let first: Session = logged_in.json().await.unwrap();
            assert_eq!(registered["user_id"], first.user_id);

            let body = json!({ "refresh_token": first.refresh_token });
            let refreshed = post(&app, &at("refresh"), &body).await;
            assert_eq!(refreshed.status(), 200);
            let second: Session = refreshed.json().await.unwrap();
            assert_eq!((second.user_id, &second.email), (first.user_id, &first.email));
            assert_ne!(second.token, first.token);

            assert_eq!(log_out(&app, version, &second).await.status(), 204);
            // The session of the registration is another one, and stays valid.
            let other: Session = serde_json::from_value(registered).unwrap();
            assert_eq!(log_out(&app, version, &other).await.status(), 204);
        }
    });
}

#[test]
fn a_logout_under_one_version_counts_under_the_other() {
    let app = TestApp::start();
    app.run(async {
        for (there, here) in [("v1", "v2"), ("v2", "v1")] {
            let session = app.sign_up(&format!("leaves_{there}")).await;
            assert_eq!(log_out(&app, there, &session).await.status(), 204);
            let refused = log_out(&app, here, &session).await;
            let challenge = "Bearer error=\"invalid_token\"";
            assert_eq!(header(&refused, "www-authenticate"), challenge);
            assert_refused(refused).await;
            assert_refused(refresh(&app, &session).await).await;
        }
    });
}

#[test]
fn every_bad_field_is_named() {
    let app = TestApp::start();
    let name =
        |name: &str| json!({ "username": name, "email": "a@example.com", "password": PASSWORD });
    let email =
        |email: &str| json!({ "username": "somebody", "email": email, "password": PASSWORD });
    let password = |password: &str| json!({ "username": "somebody", "email": "a@example.com", "password": password });
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long = format!("{}@{}.com", "a".repeat(64), "b.".repeat(95));
    let cases: [(Value, &[&str]); 24] = [
        (json!({}), &["username", "email", "password"]),
        (
            json!({ "username": 1, "email": null, "password": [] }),
            &["username", "email", "password"],
        ),
        (json!([]), &["body"]),
        (json!("text"), &["body"]),
        (name("ab"), &["username"]),
        (name(&"a".repeat(51)), &["username"]),
        (name("with space"), &["username"]),
        (name("hyphen-ated"), &["username"]),
        (name("ünicode"), &["username"]),
        (name("nul\0nul"), &["username"]),
        (email(""), &["email"]),
        (email("nobody"), &["email"]),
        (email("@example.com"), &["email"]),
        (email("a@"), &["email"]),
        (email("a@b"), &["email"]),
        (email("a b@example.com"), &["email"]),
        (email("Ada <a@example.com>"), &["email"]),
        (email("a@example.com\0"), &["email"]),
        (email(&long_local), &["email"]),
        (email(&long), &["email"]),
        (password("1234567"), &["password"]),
        (password("pass\0word"), &["password"]),
        (password(&"p".repeat(73)), &["password"]),
        // 37 characters, 74 bytes.
        (password(&"ü".repeat(37)), &["password"]),
    ];
    app.run(async {
        for (body, fields) in cases {
            for version in ["v1", "v2"] {
                let path = format!("/api/{version}/auth/register");
                let answer = post(&app, &path, &body).await;
                assert_eq!(answer.status(), 422, "{body}");
                let problem = problem(answer).await;
                let named: Vec<_> =
                    problem["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
                assert_eq!(named, fields, "{body}");
            }
        }
        for (path, body) in [
            ("login", json!({ "email": "nobody", "password": "short" })),
            ("refresh", json!({ "refresh_token": "" })),
            ("refresh", json!({ "refresh_token": "r".repeat(1_001) })),
        ] {
            let path = format!("/api/v2/auth/{path}");
            assert_eq!(post(&app, &path, &body).await.status(), 422, "{body}");
        }
    });
}

#[test]
fn bodies_that_are_no_json_or_too_large_are_refused() {
    let app = TestApp::start();
    app.run(async {
        for name in ["register", "login", "refresh"] {
            let path = format!("/api/v1/auth/{name}");
            let send = |content_type: &'static str, body: String| {
                let request = app.app(Method::POST, &path).header("content-type", content_type);
                request.body(body).send()
            };
            let broken = send("application/json", "{\"email\":\n  oops".to_owned()).await.unwrap();
            assert_eq!(broken.status(), 400);
            let detail = problem(broken).await["detail"].to_string();
            assert!(detail.contains("not JSON from line 2, column 3"), "{detail}");
            // The body must be valid JSON even in fields that nobody reads.
            for (value, reason) in [
                (
                    "[".repeat(127) + &"]".repeat(127),
                    "nested deeper than the 127 levels allowed, at",
                ),
                ("1e999".to_owned(), "a number beyond those of a double, at line 1, column 16"),
            ] {
                let body = format!("{{\"unknown\":{value}}}");
                let refused = send("application/json", body).await.unwrap();
                assert_eq!(refused.status(), 400);
                let detail = problem(refused).await["detail"].to_string();
                assert!(detail.contains(reason), "{detail}");
            }
            let deep = format!("{{\"unknown\":{}{}}}", "[".repeat(126), "]".repeat(126));
            assert_eq!(send("application/json", deep).await.unwrap().status(), 422);
            assert_eq!(send("text/plain", "{}".to_owned()).await.unwrap().status(), 415);
            let large = format!("{{\"email\":\"{}\"}}", "e".repeat(64 * 1024));
            assert_eq!(send("application/json", large).await.unwrap().status(), 413);
            let padded = format!("{{{}}}", " ".repeat(64 * 1024 - 2));
            assert_eq!(send("application/json", padded).await.unwrap().status(), 422);
            let wrong = app.get(&path).await;
            assert_eq!((wrong.status().as_u16(), header(&wrong, "allow")), (405, "POST"));
        }
    });
}

#[test]
fn a_password_of_72_bytes_is_compared_to_its_last_one() {
    let app = TestApp::start();
    app.run(async {
        for (name, password) in [("ascii", "p".repeat(72)), ("umlauts", "ü".repeat(36))] {
            let email = format!("{name}@example.com");
            let body = json!({ "username": name, "email": email, "password": password });
            assert_eq!(post(&app, "/api/v2/auth/register", &body).await.status(), 201);
            let mut other = password.clone();
            other.pop();
            for (password, status) in [(password, 200), (other, 401)] {
                let body = json!({ "email": email, "password": password });
                assert_eq!(post(&app, "/api/v2/auth/login", &body).await.status(), status);
            }
        }
    });
}

#[test]
fn a_duplicate_is_named_also_if_it_differs_in_case() {
    let app = TestApp::start();
    app.run(async {
        app.sign_up("first").await;
        for (username, email, named) in [
            ("first", "new@example.com", "this username is taken"),
            ("second", "FIRST@example.com", "this e-mail address is taken"),
            ("third", "demo-ada@example.com", "this e-mail address is taken"),
        ] {
            let body = json!({ "username": username, "email": email, "password": PASSWORD });
            let answer = post(&app, "/api/v1/auth/register", &body).await;
            assert_eq!(answer.status(), 409);
            assert_eq!(problem(answer).await["detail"], named);
        }
    });
}

#[test]
fn of_twenty_who_register_one_name_at_once_one_gets_it() {
    let app = TestApp::start();
    app.run(async {
        let body = |n| json!({ "username": "wanted", "email": format!("{n}@example.com"), "password": PASSWORD });
        let answers = (0..20).map(|n| {
            let app = &app;
            async move {
                let path = if n % 2 == 0 { "/api/v1/auth/register" } else { "/api/v2/auth/register" };
                post(app, path, &body(n)).await.status().as_u16()
            }
        });
        let mut answers = futures_util::future::join_all(answers).await;
        answers.sort_unstable();
        assert_eq!(answers, [&[201][..], &[409; 19]].concat());
    });
}
