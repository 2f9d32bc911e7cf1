//! Lists of long rows: an answer is also limited in bytes, and the rest is on the next page.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Session, TestApp, header};

/// Maximum of bytes in one answer.
const MOST: usize = 1024 * 1024;

/// A control character: one byte in storage, six in JSON.
const ESCAPED: &str = "\u{1}";

/// Body of an answer, checked against the maximum.
async fn short(answer: Response) -> Value {
    assert_eq!(answer.status(), 200);
    let body = answer.bytes().await.unwrap();
    assert!(body.len() <= MOST, "{} bytes", body.len());
    serde_json::from_slice(&body).unwrap()
}

fn rows_read(answer: &Response) -> u32 {
    let (_, rows) = header(answer, "server-timing").split_once("rows;desc=\"").unwrap();
    rows.split_once(' ').unwrap().0.parse().unwrap()
}

/// Number at the start of a text.
fn number(text: &Value) -> usize {
    text.as_str().unwrap().split(' ').next().unwrap().parse().unwrap()
}

async fn created(app: &TestApp, user: &Session, path: &str, body: &Value) {
    let answer = app.as_user(user, Method::POST, path).json(body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

#[test]
fn log_lines_are_read_on_where_their_bytes_ended() {
    let app = TestApp::start();
    app.run(async {
        let line = |n: usize| {
            let message = match n % 3 {
                0 => format!("{n} {}", ESCAPED.repeat(9_000)),
                1 => format!("{n} {}", "ü".repeat(9_000)),
                _ => format!("{n} short"),
            };
            let data = json!({"x": "x".repeat(n * 100)});
            json!({"device_id": "d", "log_level": "INFO", "message": message, "log_data": data})
        };
        for batch in 0..15 {
            let lines: Vec<_> = (batch * 10..(batch + 1) * 10).map(line).collect();
            let batch = app.app(Method::POST, "/api/logs/batch").json(&lines).send().await;
            assert_eq!(batch.unwrap().status(), 200);
        }
        let (mut seen, mut pages, mut before) = (Vec::new(), 0, String::new());
        loop {
            let answer = app.get(&format!("/api/logs/d?limit=1000{before}")).await;
            // Rows beyond the answer are not read from the database either: 1 MiB of stored bytes.
            assert!(rows_read(&answer) < 110, "{} rows", rows_read(&answer));
            let page = short(answer).await;
            pages += 1;
            seen.extend(
                page["logs"].as_array().unwrap().iter().map(|line| number(&line["message"])),
            );
            let Some(next) = page["next_before"].as_i64() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(seen, (0..150).rev().collect::<Vec<usize>>());
        assert!((3..10).contains(&pages), "{pages} pages");
    });
}

#[test]
fn todos_are_read_on_where_their_bytes_ended() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        for n in 0..120 {
            let description = if n % 2 == 0 { ESCAPED } else { "ü" }.repeat(10_000);
            let todo = json!({"title": n.to_string(), "description": description});
            created(&app, &ada, "/api/v2/todos", &todo).await;
        }
        let list = |path: String| app.as_user(&ada, Method::GET, &path).send();
        for version in ["/api/v1", "/api/v2"] {
            let first = list(format!("{version}/todos")).await.unwrap();
            assert!(rows_read(&first) < 80, "{} rows", rows_read(&first));
            let first = short(first).await;
            assert_eq!(
                short(list(format!("{version}/todos")).await.unwrap()).await,
                first,
                "a copy"
            );
            let (mut seen, mut part) = (Vec::new(), first);
            while let Some(last) = part.as_array().unwrap().last() {
                let path = format!("{version}/todos?limit=500&cursor={}", last["id"]);
                seen.extend(part.as_array().unwrap().iter().map(|todo| number(&todo["title"])));
                part = short(list(path).await.unwrap()).await;
            }
            assert_eq!(seen, (0..120).rev().collect::<Vec<usize>>());
        }
    });
}

#[test]
fn comments_are_read_on_where_their_bytes_ended() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let post = json!({"title": "Talk", "body": "Text."});
        let post = app.as_user(&ada, Method::POST, "/api/posts").json(&post).send().await.unwrap();
        let post: Value = post.json().await.unwrap();
        let path = format!("/api/posts/{}/comments", post["id"]);
        for n in 0..60 {
            let body = format!("{n} {}", ESCAPED.repeat(4_900));
            created(&app, &ada, &path, &json!({ "body": body })).await;
        }
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = short(app.get(&format!("{path}?limit=100{cursor}")).await).await;
            pages += 1;
            seen.extend(page["items"].as_array().unwrap().iter().map(|c| number(&c["body"])));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((seen, pages), ((0..60).collect::<Vec<usize>>(), 2));
    });
}
