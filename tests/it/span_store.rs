//! Content of the span store: which requests are kept, its size, and its evictions.

use reqwest::blocking::Client;
use serde_json::Value;

use crate::{program::Serving, support::TestApp, traces::metric};

/// Requests whose traces need several times the smallest span store.
const REQUESTS: usize = 80;

/// Spans of one request: itself and its 201 queries.
const SPANS: u64 = 202;

/// Requests of a route that are kept in each second, whoever asks.
const RECENT: usize = 20;

/// Requests until one is not kept, at most: 20 a second can't be all of them.
const MANY: usize = 5_000;

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Sends a request with a `traceparent` of these flags, if any, and returns its trace id.
fn ask(client: &Client, serving: &Serving, path: &str, flags: Option<&str>) -> String {
    let mut request = client.get(serving.url(path));
    if let Some(flags) = flags {
        let id = format!("{:032x}", fastrand::u128(1..));
        request = request.header("traceparent", format!("00-{id}-00f067aa0ba902b7-{flags}"));
    }
    let answer = request.send().unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.headers()["x-trace-id"].to_str().unwrap().to_owned()
}

fn is_kept(client: &Client, serving: &Serving, id: &str) -> bool {
    let url = format!("http://{}/debug/traces/{id}", serving.ops);
    let status = client.get(url).send().unwrap().status().as_u16();
    assert!([200, 404].contains(&status), "{status}");
    status == 200
}

#[test]
fn a_route_keeps_its_first_requests_of_a_second_and_those_that_are_asked_for() {
    let serving = Serving::start(&[]);
    let client = client();
    for path in ["/health/live", "/api/labs/n-plus-one/v2/fast"] {
        let ask = |flags| ask(&client, &serving, path, flags);
        let is_kept = |id: &String| is_kept(&client, &serving, id);
        let first: Vec<_> = (0..RECENT).map(|_| ask(None)).collect();
        assert!(first.iter().all(is_kept), "{path}");
        let left_out = (0..MANY).map(|_| ask(None)).find(|id| !is_kept(id));
        assert!(left_out.is_some(), "all of {MANY} requests of {path} are kept");
        let sampled: Vec<_> = (0..3 * RECENT).map(|_| ask(Some("01"))).collect();
        assert!(sampled.iter().all(is_kept), "{path}");
        let unsampled: Vec<_> = (0..RECENT).map(|_| ask(Some("00"))).collect();
        assert!(!unsampled.iter().any(is_kept), "{path}");
    }
}

#[test]
fn when_the_store_is_full_the_oldest_traces_go_whole_and_are_counted() {
    let serving = Serving::start(&[("TRACE_RING_MIB", "4")]);
    let client = client();
    let ring = |what: &str| metric(&serving, &format!("chokepoint_trace_ring_{what} "));
    let dropped = |reason: &str| {
        let series = "chokepoint_trace_ring_spans_dropped_total";
        metric(&serving, &format!("{series}{{reason=\"{reason}\"}} "))
    };
    let mut asked = Vec::new();
    for _ in 0..REQUESTS {
        asked.push(ask(&client, &serving, "/api/labs/n-plus-one/v1/slow", Some("01")));
        let (bytes, max_bytes) = (ring("bytes"), ring("max_bytes"));
        assert!(bytes <= max_bytes && max_bytes == 4 * 1024 * 1024, "{bytes} of {max_bytes}");
    }
    let kept = usize::try_from(ring("traces")).unwrap();
    assert!((1..REQUESTS).contains(&kept), "{kept} traces are kept");
    let evicted = dropped("evicted");
    assert!(evicted >= SPANS * (REQUESTS - kept) as u64, "{evicted}");
    assert!(ring("spans") + evicted >= SPANS * REQUESTS as u64);
    assert_eq!(["late", "trace_full"].map(dropped), [0; 2]);

    for (n, id) in asked.iter().enumerate() {
        let is_new = n >= REQUESTS - kept;
        assert_eq!(is_kept(&client, &serving, id), is_new, "{n} of {REQUESTS}");
    }
    let list = client.get(format!("http://{}/debug/traces?limit=1000", serving.ops));
    let list: Value = list.send().unwrap().json().unwrap();
    let listed = list["requests"].as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|request| request["trace_id"].as_str().unwrap()).collect();
    assert_eq!(listed, asked.iter().rev().take(kept).collect::<Vec<_>>());
}

#[test]
fn the_metrics_say_what_the_store_holds() {
    let app = TestApp::start();
    app.run(async {
        app.get("/api/posts/v2/fast").await;
        let metrics = app.metrics().await;
        let value = |name: &str| -> f64 {
            let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
            line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("chokepoint_trace_ring_traces") >= 1.0);
        assert!(value("chokepoint_trace_ring_spans") >= 2.0);
        assert!(value("chokepoint_trace_ring_bytes") < value("chokepoint_trace_ring_max_bytes"));
        for reason in ["evicted", "late", "trace_full"] {
            value(&format!("chokepoint_trace_ring_spans_dropped_total{{reason=\"{reason}\"}}"));
        }
    });
}
