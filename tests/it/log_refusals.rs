//! Log lines that are refused, and those just within the limits.

use reqwest::{Method, Response};
use serde_json::json;

use crate::{
    logs::{json, line, post},
    support::{TestApp, header, problem},
};

/// Fields that a 422 names.
async fn bad_fields(answer: Response) -> Vec<String> {
    assert_eq!(answer.status(), 422);
    let problem = problem(answer).await;
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_bad_line_refuses_its_batch_and_is_named_by_its_index() {
    let app = TestApp::start();
    app.run(async {
        let batch = json!({"logs": [
            line("good", "fine"),
            {"device_id": "no spaces", "log_level": "LOUD", "message": ""},
            17,
            {"device_id": "x".repeat(101), "log_level": null, "message": "m\0", "log_data": []},
            {"device_id": 5, "log_level": "info", "message": "m", "log_data": {"a": ["\0"]}},
            {"device_id": "d", "log_level": "info", "message": "m", "log_data": {"\0": 1}},
            {"device_id": "d", "log_level": "info", "message": "ü".repeat(10_001)},
            {"device_id": "d", "log_level": "info", "message": "m", "log_data": {"a": "x".repeat(16_384)}},
        ]});
        let fields = bad_fields(post(&app, "/api/logs/batch", &batch).await).await;
        assert_eq!(fields, [
            "logs[1].device_id", "logs[1].log_level", "logs[1].message",
            "logs[2]",
            "logs[3].device_id", "logs[3].log_level", "logs[3].message", "logs[3].log_data",
            "logs[4].device_id", "logs[4].log_data",
            "logs[5].log_data",
            "logs[6].message",
            "logs[7].log_data",
        ]);
        assert_eq!(json(&app, "/api/stats").await["lines"], 0);

        let many = post(&app, "/api/logs/batch", &json!(vec![json!({}); 1_000])).await;
        let many = problem(many).await;
        assert_eq!(many["errors"].as_array().unwrap().len(), 3_000);
        assert!(many["detail"].as_str().unwrap().contains(" and 2995 more of the request"), "{many}");

        let one = post(&app, "/api/log", &json!({"log_level": "?"})).await;
        assert_eq!(bad_fields(one).await, ["device_id", "log_level", "message"]);
        for (body, field) in [
            (json!({"logs": []}), "logs"),
            (json!([]), "logs"),
            (json!({}), "logs"),
            (json!({"logs": "x"}), "logs"),
            (json!("x"), "body"),
            (json!(vec![line("d", "m"); 1_001]), "logs"),
            // Lines under such a name could not be queried.
            (json!([line("batch", "m")]), "logs[0].device_id"),
            (json!([line("..", "m")]), "logs[0].device_id"),
        ] {
            assert_eq!(bad_fields(post(&app, "/api/logs/batch", &body).await).await, [field]);
        }
    });
}

#[test]
fn what_is_at_its_limit_is_taken() {
    let app = TestApp::start();
    app.run(async {
        let data = json!({"a": "x".repeat(16 * 1024 - 8)});
        let longest = json!({
            "device_id": "x".repeat(100), "log_level": "warn", "message": "ü".repeat(10_000),
            "log_data": data,
        });
        assert_eq!(post(&app, "/api/log", &longest).await.status(), 200);
        let found = json(&app, &format!("/api/logs/{}", "x".repeat(100))).await;
        assert_eq!(found["logs"][0]["log_level"], "WARNING");
        assert_eq!(found["logs"][0]["log_data"], data);
        let most = json!(vec![line("many", "m"); 1_000]);
        assert_eq!(post(&app, "/api/logs/batch", &most).await.status(), 200);
        assert_eq!(json(&app, "/api/stats").await["lines"], 1_001);
    });
}

#[test]
fn odd_bodies_are_read_the_thorough_way_or_refused() {
    let app = TestApp::start();
    app.run(async {
        let send = async |content_type: &str, body: String| {
            let request = app.app(Method::POST, "/api/log").header("content-type", content_type);
            request.body(body).send().await.unwrap().status().as_u16()
        };
        let with = |data: &str| {
            format!(r#"{{"device_id":"d","log_level":"info","message":"m","log_data":{data}}}"#)
        };
        let deep = |depth| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        for (data, status) in [
            (r#"{"a":"\u00fc"}"#.to_owned(), 200),
            (r#"{"a":"\\u0000"}"#.to_owned(), 200),
            (r#"{"a":1,"a":2}"#.to_owned(), 200),
            (r#"{"a":1.5e-999,"b":-2.5E+07,"c":"1e999"}"#.to_owned(), 200),
            (r#"{"a":1e308}"#.to_owned(), 200),
            (r#"{"a":1e999}"#.to_owned(), 400),
            (r#"{"a":-1.0E+999}"#.to_owned(), 400),
            (format!(r#"{{"a":{}}}"#, "9".repeat(400)), 400),
            (format!(r#"{{"a":{}e99}}"#, "9".repeat(210)), 400),
            ("null".to_owned(), 200),
            (deep(31), 200),
            (deep(100), 200),
            (r#"{"a":"\u0000"}"#.to_owned(), 422),
            (r#"{"a":"\ud800"}"#.to_owned(), 400),
            (deep(8_000), 400),
        ] {
            let sent = send("application/json", with(&data)).await;
            assert_eq!(sent, status, "{data:.40}");
        }
        let twice = r#"{"device_id":"a","device_id":"d","log_level":"info","message":"m"}"#;
        assert_eq!(send("application/json", twice.to_owned()).await, 200);
        assert_eq!(send("application/json", "{\"device_id\": ".to_owned()).await, 400);
        assert_eq!(send("text/plain", with("null")).await, 415);
        // The body may not be received completely, so the client must not reuse that connection.
        for _ in 0..10 {
            let large =
                app.app(Method::POST, "/api/log").header("content-type", "application/json");
            let large =
                large.body(with(&format!("\"{}\"", "x".repeat(1 << 20)))).send().await.unwrap();
            assert_eq!(large.status(), 413);
            assert_eq!(header(&large, "connection"), "close");
            assert_eq!(app.get("/api/logs/d").await.status(), 200);
        }
        for (path, status) in [
            ("/api/logs/d?limit=0", 422),
            ("/api/logs/d?limit=1001", 422),
            ("/api/logs/d?limit=x&before=-1", 422),
            ("/api/logs/d?before=99999999999999999999", 422),
            ("/api/logs/no%20spaces", 404),
            ("/api/logs/%ff", 404),
            ("/api/logs/", 404),
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status(), status, "{path}");
            problem(answer).await;
        }
    });
}
