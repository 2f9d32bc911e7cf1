//! The ops port answers while every worker of the app is blocked.

use reqwest::Method;

use crate::support::TestApp;

const SLOW: &str = "/api/posts/v1/slow";

/// Sends slow requests and doesn't wait for them.
pub fn hold_the_workers(app: &TestApp, requests: usize) -> Vec<tokio::task::JoinHandle<u16>> {
    let send = |_| {
        let request = app.app(Method::GET, SLOW);
        tokio::spawn(async { request.send().await.map_or(0, |r| r.status().as_u16()) })
    };
    (0..requests).map(send).collect()
}

pub async fn wait_until_held(app: &TestApp) {
    let pending = format!("axum_http_requests_pending{{method=\"GET\",route=\"{SLOW}\"");
    loop {
        let text = app.metrics().await;
        let line = text.lines().find(|line| line.starts_with(&pending));
        if line.is_some_and(|line| !line.ends_with(" 0")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[test]
fn ops_answers_while_fifty_slow_requests_hold_the_app() {
    let app = TestApp::start();
    app.run(async {
        let slow = hold_the_workers(&app, 50);
        wait_until_held(&app).await;
        for _ in 0..20 {
            assert_eq!(app.get_ops("/metrics").await.status(), 200);
            assert_eq!(app.get_ops("/health").await.status(), 200);
            assert_eq!(app.get_ops("/debug/blocked").await.status(), 200);
            // Logging is off in tests, and stays off.
            let filter = serde_json::json!({"filter": "off", "seconds": 1});
            let change = app.ops(Method::PUT, "/log-filter").json(&filter).send().await.unwrap();
            assert_eq!(change.status(), 200);
        }
        // None of the fifty has finished: ops has answered before.
        assert_eq!(slow.iter().filter(|request| request.is_finished()).count(), 0);
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

#[test]
fn the_catalogue_is_json_for_programs_and_a_page_for_people() {
    let app = TestApp::start();
    app.run(async {
        let labs: serde_json::Value = app.get_ops("/labs").await.json().await.unwrap();
        assert_eq!(labs[0]["id"], "blocking-n-plus-one");
        let lab: serde_json::Value = app.get_ops("/labs/n-plus-one").await.json().await.unwrap();
        assert_eq!(lab["evidence"]["evidence"]["slow"]["counters"]["queries"]["min"], 201.0);
        assert!(lab["readme"].as_str().unwrap().contains("## Symptom"));
        let page = app.ops(Method::GET, "/labs/n-plus-one").header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains("<h3>Symptom</h3>") && page.contains("data-stage="), "{page}");
    });
}
