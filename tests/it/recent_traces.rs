//! The span store: `/debug/traces` on the ops port.

use opentelemetry_proto::tonic::trace::v1::{TracesData, span::SpanKind};
use reqwest::Method;
use serde_json::Value;

use crate::{
    kept_traces::{kept, of},
    support::{TestApp, header, problem},
};

#[test]
fn a_bad_filter_is_refused_by_its_name() {
    let app = TestApp::start();
    app.run(async {
        for (query, field) in [
            ("min_ms=fast", "min_ms"),
            ("min_ms=-1", "min_ms"),
            ("status=6xx", "status"),
            ("status=ok", "status"),
            ("since=now-5m", "since"),
            ("until=2026-02-30", "until"),
            ("from=yesterday", "from"),
            ("to=NaN", "to"),
            ("since=1769860800&until=1769860799", "until"),
            ("from=1769860800000&to=1769860799000", "to"),
            ("lab=no-such-lab", "lab"),
            ("variant=no-such-variant", "variant"),
            ("lab=n-plus-one&variant=no-such-variant", "variant"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("format=xml", "format"),
        ] {
            let answer = app.get_ops(&format!("/debug/traces?{query}")).await;
            assert_eq!(answer.status(), 422, "{query}");
            let problem = problem(answer).await;
            let fields: Vec<_> =
                problem["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
            assert_eq!(fields, [field], "{query}");
        }
        let answer = app.get_ops("/debug/traces?min_ms=x&status=x&lab=x").await;
        assert_eq!(problem(answer).await["errors"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn a_trace_that_is_not_kept_and_an_id_that_is_none_are_404() {
    let app = TestApp::start();
    app.run(async {
        let unknown = "0af7651916cd43dd8448eb211c80319c";
        for id in [unknown, "1", "g".repeat(32).as_str(), "%FF", &"0".repeat(33), "a%2Fb"] {
            let answer = app.get_ops(&format!("/debug/traces/{id}")).await;
            assert_eq!(answer.status(), 404, "{id}");
            problem(answer).await;
        }
        let answer = app.get_ops(&format!("/debug/traces/{unknown}?format=xml")).await;
        assert_eq!(problem(answer).await["errors"][0]["field"], "format");
    });
}

#[test]
fn a_form_that_was_not_filled_in_filters_nothing() {
    let app = TestApp::start();
    app.run(async {
        let empty = "route=&lab=&variant=&min_ms=&status=&since=&until=&limit=&format=";
        let answer = app.get_ops(&format!("/debug/traces?{empty}")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "content-type"), "application/json");
        let list: Value = answer.json().await.unwrap();
        assert_eq!(list["kept"]["max_bytes"], 24 * 1024 * 1024);
        let page = app.ops(Method::GET, "/debug/traces").header("accept", "text/html,*/*");
        let page = page.send().await.unwrap();
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "content-security-policy"), "default-src 'self'");
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn list(app: &TestApp, query: &str) -> Value {
    app.get_ops(&format!("/debug/traces?{query}")).await.json().await.unwrap()
}

/// Ids of all requests that a query finds.
async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let list = list(app, &format!("limit=1000&{query}")).await;
    let requests = list["requests"].as_array().unwrap();
    requests.iter().map(|request| request["trace_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_slow_request_is_101_queries_by_its_trace_id() {
    let app = TestApp::start();
    app.run(async {
        let slow = app.get("/api/posts/v1/slow").await;
        let id = header(&slow, "x-trace-id");
        let data = app.get_ops(&format!("/debug/traces/{id}")).await;
        let data: TracesData = data.json().await.unwrap();
        let resource = data.resource_spans[0].resource.as_ref().unwrap();
        assert!(resource.attributes.iter().any(|attribute| attribute.key == "service.name"));
        let spans = of(&data);
        let request: Vec<_> = spans.iter().filter(|span| span.kind() == SpanKind::Server).collect();
        assert_eq!(request.len(), 1);
        assert_eq!(request[0].name, "GET /api/posts/v1/slow");
        let queries = spans.iter().filter(|span| span.kind() == SpanKind::Client);
        let queries: Vec<_> = queries.collect();
        assert_eq!(queries.len(), 101);
        for query in queries {
            assert_eq!(query.parent_span_id, request[0].span_id);
            assert_eq!(hex(&query.trace_id), id);
        }

        let page =
            app.ops(Method::GET, &format!("/debug/traces/{id}")).header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains("The same query 100 times"), "{page}");
        let bars = |class: &str| page.matches(&format!("<rect class=\"{class}\" x=")).count();
        assert_eq!((bars("request"), bars("repeated"), bars("database")), (1, 100, 1));
        assert!(page.contains("href=\"/labs/blocking-n-plus-one\""));
        assert!(!page.contains("style=") && !page.contains("<script>"), "the policy forbids both");
    });
}

#[test]
fn requests_are_found_by_route_lab_variant_status_duration_and_time() {
    let app = TestApp::start();
    app.run(async {
        let fast = app.get("/api/posts/v2/fast").await;
        let fast = header(&fast, "x-trace-id");
        let other = app.get("/api/labs/n-plus-one/v2/fast").await;
        let other = header(&other, "x-trace-id");
        for (query, finds_fast, finds_other) in [
            ("", true, true),
            ("route=/api/posts/v2/fast", true, false),
            ("lab=blocking-n-plus-one", true, false),
            ("lab=n-plus-one", false, true),
            ("lab=n-plus-one&variant=fast", false, true),
            ("lab=n-plus-one&variant=slow", false, false),
            ("variant=fast", true, true),
            ("variant=slow", false, false),
            ("lab=n-plus-one&route=/api/posts/v2/fast", false, false),
            ("status=200", true, true),
            ("status=2xx", true, true),
            ("status=404", false, false),
            ("status=5xx", false, false),
            ("min_ms=0.001", true, true),
            ("min_ms=86400000", false, false),
            ("since=2026-01-01T00:00:00Z", true, true),
            ("since=1767225600", true, true),
            ("until=2020-01-01T00:00:00Z", false, false),
            ("from=1767225600000&to=4102444800000", true, true),
            ("from=4102444800000", false, false),
        ] {
            let found = found(&app, query).await;
            let finds = |id: &str| found.iter().any(|found| found == id);
            assert_eq!((finds(fast), finds(other)), (finds_fast, finds_other), "{query}");
        }
    });
}

#[test]
fn the_list_is_newest_first_and_says_what_it_leaves_out() {
    let app = TestApp::start();
    app.run(async {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let answer = app.get("/api/labs/n-plus-one/v3/yours").await;
            ids.push(header(&answer, "x-trace-id").to_owned());
        }
        let query = "lab=n-plus-one&variant=yours";
        let all = found(&app, query).await;
        let places = ids.iter().map(|id| all.iter().position(|found| found == id).unwrap());
        assert!(places.rev().is_sorted(), "{all:?}");
        let one = list(&app, &format!("{query}&limit=1")).await;
        assert_eq!(one["requests"].as_array().unwrap().len(), 1);
        assert!(one["matching"].as_u64().unwrap() >= 3, "{one}");
        let request = &one["requests"][0];
        assert_eq!((&request["lab"], &request["variant"]), (&"n-plus-one".into(), &"yours".into()));
        assert_eq!((&request["queries"], &request["status"]), (&201.into(), &200.into()));
        let route = &one["slowest_by_route"][0];
        assert_eq!(route["route"], "/api/labs/n-plus-one/v3/yours");
        assert_eq!(route["most_queries"], 201);
        assert!(all.contains(&route["slowest_trace_id"].as_str().unwrap().to_owned()));
    });
}

#[test]
fn a_failure_and_a_trace_of_the_client_are_found_by_their_ids() {
    let app = TestApp::start();
    app.run(async {
        // Its own: all tests share one store.
        let id = "5c0392f3577b34da6a3ce929d0e0e419";
        let request = app.app(Method::GET, "/api/posts/999999999");
        let request = request.header("traceparent", format!("00-{id}-00f067aa0ba902b7-01"));
        assert_eq!(request.send().await.unwrap().status(), 404);
        assert!(found(&app, "status=404").await.contains(&id.to_owned()));
        let spans = kept(&app, id).await;
        let request = spans.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
        assert_eq!(hex(&request.parent_span_id), "00f067aa0ba902b7");
    });
}
