//! The example watches an app that knows nothing of this crate.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Response};

/// The example, ended with the test.
struct Example {
    process: Child,
    app: String,
    ops: String,
}

impl Example {
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        // target/debug/deps/this-test and target/debug/examples/foreign_app.
        let example = test.parent().unwrap().parent().unwrap().join("examples/foreign_app");
        let mut process = Command::new(&example)
            .env_remove("OTEL_SDK_DISABLED")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", example.display()));
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.split_whitespace().skip(1).step_by(2).map(str::to_owned);
        let (app, ops) = (words.next().unwrap(), words.next().unwrap());
        Self { process, app, ops }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn get(client: &Client, url: &str) -> Response {
    let response = client.get(url).send().await.unwrap();
    assert!(response.status().is_success(), "{url}: {}", response.status());
    response
}

#[tokio::test]
async fn a_foreign_app_shows_what_its_requests_cost() {
    let example = Example::start();
    let client = Client::builder().no_proxy().build().unwrap();
    let answer = get(&client, &example.app).await;
    let cost = answer.headers()["server-timing"].to_str().unwrap().to_owned();
    assert!(cost.contains("total;dur=") && cost.contains("cpu;dur="), "{cost}");
    let trace = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.text().await.unwrap(), "4499998500000");

    let ops = |path: &str| format!("{}{path}", example.ops);
    let metrics = get(&client, &ops("/metrics")).await.text().await.unwrap();
    let count = r#"axum_http_requests_total{method="GET",route="/sum",status="200"} 1"#;
    assert!(metrics.contains(count), "{metrics}");
    let busy = r#"chokepoint_request_busy_seconds_count{method="GET",route="/sum"} 1"#;
    assert!(metrics.contains(busy), "{metrics}");

    let page = get(&client, &ops(&format!("/debug/traces/{trace}"))).await.text().await.unwrap();
    assert!(page.contains("/sum"), "{page}");

    for mode in ["cpu", "wall"] {
        if mode == "wall" && cfg!(not(target_os = "linux")) {
            continue;
        }
        let url = ops(&format!("/debug/pprof/flamegraph?seconds=1&mode={mode}"));
        let load = async {
            for _ in 0..20 {
                get(&client, &example.app).await;
            }
        };
        let (picture, ()) = tokio::join!(get(&client, &url), load);
        let picture = picture.text().await.unwrap();
        assert!(
            picture.starts_with("<?xml") && picture.contains("foreign_app"),
            "{mode}: {picture}"
        );
    }
}
