//! The blog: slugs, and the right to change posts.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Session, TestApp, header, problem};

/// Lists, page by page. The path is explicit because two binaries include this file.
#[path = "posts/lists.rs"]
mod lists;

const N_PLUS_ONE: &str = "/api/labs/n-plus-one/v2/fast";

async fn send(app: &TestApp, user: &Session, method: Method, path: &str, body: Value) -> Response {
    app.app(method, path).bearer_auth(&user.token).json(&body).send().await.unwrap()
}

async fn write(app: &TestApp, user: &Session, title: &str) -> Value {
    let body = json!({"title": title, "body": "Text."});
    let response = send(app, user, Method::POST, "/api/posts", body).await;
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

fn bad_fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect()
}

#[test]
fn a_post_is_written_read_changed_and_deleted_by_its_author() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let body = json!({"title": "Why p99 lies", "body": "It does not."});
        let created = send(&app, &ada, Method::POST, "/api/posts", body).await;
        assert_eq!(created.status(), 201);
        let path = header(&created, "location").to_owned();
        let post: Value = created.json().await.unwrap();
        assert_eq!(path, format!("/api/posts/{}", post["id"]));
        assert_eq!(post["slug"], "why-p99-lies");
        assert_eq!(post["author"], json!({"id": ada.user_id, "username": "ada"}));
        assert_eq!(json_of(app.get(&path).await).await, post);

        let patch = json!({"title": "Why p99 helps"});
        let changed = json_of(send(&app, &ada, Method::PUT, &path, patch).await).await;
        assert_eq!(changed["title"], "Why p99 helps");
        assert_eq!(changed["body"], post["body"]);
        assert_eq!(changed["slug"], post["slug"], "links must hold");
        let nothing = json_of(send(&app, &ada, Method::PUT, &path, json!({})).await).await;
        assert_eq!(nothing, changed);

        let comments = format!("{path}/comments");
        let comment = send(&app, &ada, Method::POST, &comments, json!({"body": "Yes."})).await;
        assert_eq!(comment.status(), 201);
        let deleted = send(&app, &ada, Method::DELETE, &path, json!({})).await;
        assert_eq!(deleted.status(), 204);
        for gone in [&path, &comments] {
            let missing = app.get(gone).await;
            assert_eq!(missing.status(), 404);
            problem(missing).await;
        }
        assert_eq!(send(&app, &ada, Method::DELETE, &path, json!({})).await.status(), 404);
    });
}

#[test]
fn nobody_else_changes_a_post_and_writing_needs_a_token() {
    let app = TestApp::start();
    app.run(async {
        let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
        let post = write(&app, &ada, "Mine").await;
        let own = format!("/api/posts/{}", post["id"]);
        let comments = format!("{own}/comments");
        for (method, path) in [(Method::PUT, own.as_str()), (Method::DELETE, &own)] {
            let refused = send(&app, &eve, method, path, json!({"title": "Hers"})).await;
            assert_eq!(refused.status(), 403, "{path}");
            problem(refused).await;
        }
        let writes = [
            (Method::POST, "/api/posts"),
            (Method::PUT, &own),
            (Method::DELETE, &own),
            (Method::POST, &comments),
        ];
        for (method, path) in writes {
            let refused = app.app(method, path).json(&json!({})).send().await.unwrap();
            assert_eq!(refused.status(), 401, "{path}");
            assert!(header(&refused, "www-authenticate").starts_with("Bearer"));
            problem(refused).await;
        }
        assert_eq!(json_of(app.get(&own).await).await, post);
        // A comment does not count as a change.
        let comment = send(&app, &eve, Method::POST, &comments, json!({"body": "Fine."})).await;
        let comment: Value = comment.json().await.unwrap();
        assert_eq!(comment["author"], json!({"id": eve.user_id, "username": "eve"}));
        assert_eq!(json_of(app.get(&own).await).await["comments"], 1);
    });
}

#[test]
fn seeded_posts_stay_as_they_are_for_the_labs() {
    let app = TestApp::start();
    app.run(async {
        let before = app.get(N_PLUS_ONE).await.text().await.unwrap();
        let flagship = app.get("/api/posts/v2/fast").await.text().await.unwrap();
        let ada = app.sign_up("ada").await;
        for title in ["seed-0000050", "Seed 0000007", "s eed 0000050", "SEED0000099", "Привет"]
        {
            let slug = write(&app, &ada, title).await["slug"].clone();
            assert!(slug.as_str().unwrap().starts_with("post"), "{slug}");
        }
        let comment = json!({"body": "First!"});
        for (method, path, body) in [
            (Method::PUT, "/api/posts/1", json!({"title": "Mine"})),
            (Method::DELETE, "/api/posts/1", json!({})),
            (Method::POST, "/api/posts/1/comments", comment),
        ] {
            assert_eq!(send(&app, &ada, method, path, body).await.status(), 403, "{path}");
        }
        assert_eq!(app.get(N_PLUS_ONE).await.text().await.unwrap(), before);
        assert_eq!(app.get("/api/posts/v2/fast").await.text().await.unwrap(), flagship);
    });
}

#[test]
fn the_labs_routes_stand_beside_ids() {
    let app = TestApp::start();
    app.run(async {
        for path in ["/api/posts/v1/slow", "/api/posts/v2/fast", "/api/posts/v3/yours"] {
            assert_eq!(json_of(app.get(path).await).await.as_array().unwrap().len(), 100, "{path}");
        }
        assert_eq!(json_of(app.get("/api/posts/2").await).await["id"], 2);
        for path in [
            "/api/posts/v1",
            "/api/posts/0",
            "/api/posts/-1",
            "/api/posts/99999999999999999999",
            "/api/posts/1.0",
            "/api/posts/%00",
            "/api/posts/%ff/comments",
            "/api/posts/v1/comments",
        ] {
            let missing = app.get(path).await;
            assert_eq!(missing.status(), 404, "{path}");
            problem(missing).await;
        }
    });
}

#[test]
fn posts_of_the_same_title_written_at_once_get_a_slug_each() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let writes = (0..30).map(|_| write(&app, &ada, "Same title"));
        let written = futures_util::future::join_all(writes).await;
        let slugs: BTreeSet<_> = written.iter().map(|p| p["slug"].as_str().unwrap()).collect();
        assert_eq!(slugs.len(), 30);
        assert!(slugs.iter().all(|slug| slug.starts_with("same-title")));
    });
}

#[test]
fn every_bad_field_of_a_body_is_named() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let own = format!("/api/posts/{}", write(&app, &ada, "Mine").await["id"]);
        let comments = format!("{own}/comments");
        let long = "ä".repeat(201);
        for (method, path, body, fields) in [
            (Method::POST, "/api/posts", json!({}), vec!["title", "body"]),
            (Method::POST, "/api/posts", json!({"title": "", "body": 7}), vec!["title", "body"]),
            (Method::POST, "/api/posts", json!({"title": "a\0b", "body": "x"}), vec!["title"]),
            (Method::POST, "/api/posts", json!({"title": long, "body": "x"}), vec!["title"]),
            (Method::POST, "/api/posts", json!([1]), vec!["body"]),
            (
                Method::POST,
                "/api/posts",
                json!({"title": " ", "body": "\n"}),
                vec!["title", "body"],
            ),
            (Method::PUT, &own, json!({"title": null, "body": ""}), vec!["title", "body"]),
            (Method::PUT, &own, json!({"title": "  "}), vec!["title"]),
            (Method::POST, &comments, json!({"body": " "}), vec!["body"]),
            (Method::POST, &comments, json!({"body": "x".repeat(5_001)}), vec!["body"]),
        ] {
            let refused = send(&app, &ada, method, path, body).await;
            assert_eq!(refused.status(), 422, "{path}");
            assert_eq!(bad_fields(&problem(refused).await), fields, "{path}");
        }
        // The longest allowed, in characters.
        let body = json!({"title": "ä".repeat(200), "body": "ä".repeat(50_000)});
        assert_eq!(send(&app, &ada, Method::POST, "/api/posts", body).await.status(), 201);
    });
}
