//! Size of the span store, and its evictions.

use reqwest::blocking::Client;
use serde_json::Value;

use crate::{program::Serving, support::TestApp, traces::metric};

/// Requests whose traces need three times the smallest span store.
const REQUESTS: usize = 80;

/// Spans of one request: itself and its 201 queries.
const SPANS: u64 = 202;

#[test]
fn when_the_ring_is_full_the_oldest_traces_go_whole_and_are_counted() {
    let serving = Serving::start(&[("TRACE_RING_MIB", "4")]);
    let client = Client::builder().no_proxy().build().unwrap();
    let ring = |what: &str| metric(&serving, &format!("chokepoint_trace_ring_{what} "));
    let dropped = |reason: &str| {
        let series = "chokepoint_trace_ring_spans_dropped_total";
        metric(&serving, &format!("{series}{{reason=\"{reason}\"}} "))
    };
    let mut ids = Vec::new();
    for _ in 0..REQUESTS {
        let answer = client.get(serving.url("/api/labs/n-plus-one/v1/slow")).send().unwrap();
        ids.push(answer.headers()["x-trace-id"].to_str().unwrap().to_owned());
        // Reading the metrics also stores the queued spans.
        let (bytes, max_bytes) = (ring("bytes"), ring("max_bytes"));
        assert!(bytes <= max_bytes && max_bytes == 4 * 1024 * 1024, "{bytes} of {max_bytes}");
    }
    let kept = usize::try_from(ring("traces")).unwrap();
    assert!((1..REQUESTS).contains(&kept), "{kept} traces are kept");
    let evicted = dropped("evicted");
    assert!(evicted >= SPANS * (REQUESTS - kept) as u64, "{evicted}");
    assert!(ring("spans") + evicted >= SPANS * REQUESTS as u64);
    assert_eq!(["late", "trace_full", "queue_full"].map(dropped), [0; 3]);

    let get = |path: &str| client.get(format!("http://{}{path}", serving.ops)).send().unwrap();
    for (n, id) in ids.iter().enumerate() {
        let status = if n < REQUESTS - kept { 404 } else { 200 };
        assert_eq!(get(&format!("/debug/traces/{id}")).status(), status, "{n} of {REQUESTS}");
    }
    let list: Value = get("/debug/traces?limit=1000").json().unwrap();
    let listed = list["requests"].as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|request| request["trace_id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids.iter().rev().take(kept).collect::<Vec<_>>());
}

#[test]
fn the_metrics_say_what_the_ring_holds() {
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
        for reason in ["evicted", "late", "trace_full", "queue_full"] {
            value(&format!("chokepoint_trace_ring_spans_dropped_total{{reason=\"{reason}\"}}"));
        }
    });
}
