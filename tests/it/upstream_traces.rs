//! Calls of labs to the upstream, as traces, measurements and metrics show them.

use observe::cost::Counter;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use reqwest::{Method, blocking::Client};
use serde_json::Value;

use crate::{
    kept_traces::kept,
    program::Serving,
    support::{TestApp, header},
};

/// Route that asks the upstream for the tags of 100 todos by its async client.
const ROUTE: &str = "/api/todos/v4/async-client";
const SLOW: &str = "/api/todos/v1/slow";

fn of_kind(spans: &[Span], kind: SpanKind, name: &str) -> Vec<Span> {
    let of_kind = |span: &&Span| span.kind == kind as i32 && span.name.starts_with(name);
    spans.iter().filter(of_kind).cloned().collect()
}

#[test]
fn the_upstream_continues_the_trace_of_the_request_that_calls_it() {
    let app = TestApp::start();
    app.run(async {
        // Sampled by its client, and kept as one of the first of its route.
        let sampled = "00-6d1fa2f3577b34da6a3ce929d0e0e420-00f067aa0ba902b7-01";
        for traceparent in [Some(sampled), None] {
            let mut request = app.app(Method::GET, ROUTE);
            if let Some(traceparent) = traceparent {
                request = request.header("traceparent", traceparent);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let id = header(&answer, "x-trace-id").to_owned();
            let spans = kept(&app, &id).await;
            let calls = of_kind(&spans, SpanKind::Client, "GET /hidden-blocking/async-client/tags");
            let served = of_kind(&spans, SpanKind::Server, "GET /{lab}/{variant}/tags");
            assert_eq!((calls.len(), served.len()), (100, 100), "{traceparent:?}");
            for span in &served {
                assert!(calls.iter().any(|call| call.span_id == span.parent_span_id));
            }
            let request = of_kind(&spans, SpanKind::Server, &format!("GET {ROUTE}"));
            assert_eq!(request.len(), 1);
            assert!(calls.iter().all(|call| call.parent_span_id == request[0].span_id));
            // What it asks its database is below what it was asked.
            let queries = of_kind(&spans, SpanKind::Client, "SELECT todo_tags");
            assert_eq!(queries.len(), 100);
            for query in &queries {
                assert!(served.iter().any(|span| span.span_id == query.parent_span_id));
            }
            // In the list it is one request, that of the app.
            let path = "/debug/traces?lab=hidden-blocking&limit=1000";
            let list: Value = app.get_ops(path).await.json().await.unwrap();
            let all = list["requests"].as_array().unwrap();
            let of_trace = all.iter().filter(|request| request["trace_id"] == id.as_str());
            assert_eq!(of_trace.count(), 1, "{list}");
        }
    });
}

#[test]
fn a_trace_that_its_client_does_not_want_is_kept_nowhere() {
    let app = TestApp::start();
    app.run(async {
        let id = "4bf92f3577b34da6a3ce929d0e0e4737";
        let request = app.app(Method::GET, ROUTE);
        let request = request.header("traceparent", format!("00-{id}-00f067aa0ba902b7-00"));
        assert_eq!(request.send().await.unwrap().status(), 200);
        assert_eq!(app.get_ops(&format!("/debug/traces/{id}")).await.status(), 404);
    });
}

#[test]
fn calls_and_connections_are_counted_on_the_request() {
    let app = TestApp::start();
    app.run(async {
        app.get(ROUTE).await;
        app.get(ROUTE).await;
        let measured = app.measured("hidden-blocking", "async-client").await;
        let figures = |counter| measured.counters[&counter];
        assert_eq!(figures(Counter::UpstreamCalls).min, 100.0);
        assert_eq!(figures(Counter::UpstreamCalls).max, 100.0);
        // One client for all: the second request finds the connection of the first.
        let connections = figures(Counter::UpstreamConnections);
        assert_eq!((connections.min, connections.max), (0.0, 1.0));
        // The upstream's queries are its own.
        assert_eq!(figures(Counter::Queries).max, 1.0);
    });
}

#[test]
fn the_upstream_counts_each_caller_and_its_own_work_is_not_the_apps() {
    // A process of its own: its totals are those of all requests.
    let serving = Serving::start(&[]);
    let http = Client::builder().no_proxy().build().unwrap();
    let text = |url: String| http.get(url).send().unwrap().text().unwrap();
    let totals = || -> Value {
        serde_json::from_str(&text(format!("http://{}/debug/totals", serving.ops))).unwrap()
    };
    // A synchronous client, which counts nothing itself.
    let before = totals();
    assert_eq!(http.get(format!("http://{}{SLOW}", serving.app)).send().unwrap().status(), 200);
    let after = totals();
    let since = |name: &str| after[name].as_f64().unwrap() - before[name].as_f64().unwrap();
    // Its own query, and perhaps one of the server's background work.
    assert!((1.0..10.0).contains(&since("queries")), "{} queries", since("queries"));
    // What its client does not count, the service does.
    assert_eq!(since("upstream_calls"), 100.0);
    let metrics = text(format!("http://{}/metrics", serving.ops));
    for series in [
        r#"chokepoint_upstream_requests_total{lab="hidden-blocking",variant="slow"} 100"#,
        r#"chokepoint_upstream_connections_total{lab="hidden-blocking",variant="slow"} 1"#,
        r#"chokepoint_upstream_requests_in_flight{lab="hidden-blocking",variant="slow"} 0"#,
    ] {
        assert!(metrics.contains(series), "{series} is missing in {metrics}");
    }
    // Who calls nobody has no series.
    assert!(!metrics.contains(r#"chokepoint_upstream_requests_total{lab="n-plus-one""#));
}
