//! Traces of the program, as an OTLP receiver gets them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use reqwest::blocking::{Client, Response};
use serde_json::Value as Json;

use crate::program::Serving;

/// Certificates of receivers.
mod authority;
/// Traces that our own clients start.
mod clients;
/// W3C trace context that is accepted.
mod context;
/// Export without a receiver, and at shutdown.
mod export;
/// An OTLP receiver.
mod receiver;
/// Sampling of exported requests.
mod sampling;
/// Valid and invalid settings.
mod settings;
/// One span for each wait of a request.
mod signals;
/// Compression and TLS.
mod transport;

use authority::{Authority, TlsListener};
use receiver::{CLIENT, ERROR, INTERNAL, Received, Receiver, SERVER, UNSET, hex};

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Starts the program with frequent exports.
fn exporting(receiver: &Receiver, protocol: &str, more: &[(&str, &str)]) -> Serving {
    let url = receiver.url();
    let mut settings = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    settings.extend(more);
    Serving::start(&settings)
}

fn trace_id(answer: &Response) -> String {
    answer.headers()["x-trace-id"].to_str().unwrap().to_owned()
}

fn request_span(trace: &[Received]) -> &Received {
    let spans: Vec<_> = trace.iter().filter(|span| span.span.kind == SERVER).collect();
    assert_eq!(spans.len(), 1, "one span of the request");
    spans[0]
}

/// Number of spans without waits for a connection, which depend on the machine.
fn spans_but_waits(trace: &[Received]) -> usize {
    trace.iter().filter(|span| span.span.name != "pool wait").count()
}

fn named<'a>(trace: &'a [Received], name: &str) -> Vec<&'a Received> {
    trace.iter().filter(|span| span.span.name == name).collect()
}

#[test]
fn a_trace_of_the_slow_flagship_has_its_101_queries() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let answer = client().get(serving.url("/api/posts/v1/slow?token=secret")).send().unwrap();
    assert_eq!(answer.status(), 200);
    let trace = receiver.trace(&trace_id(&answer));

    let request = request_span(&trace);
    assert_eq!(request.span.name, "GET /api/posts/v1/slow");
    assert_eq!(request.status(), UNSET);
    assert!(request.span.parent_span_id.is_empty(), "a root");
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/posts/v1/slow"),
        ("url.path", "/api/posts/v1/slow"),
        ("url.scheme", "http"),
        ("chokepoint.request_id", answer.headers()["x-request-id"].to_str().unwrap()),
    ] {
        assert_eq!(request.text(name), value, "{name}");
    }
    assert_eq!(request.int("http.response.status_code"), 200);
    assert_eq!(request.int("chokepoint.queries"), 101);
    assert_eq!(request.int("chokepoint.rows"), 200);
    let busy = request.attributes.get("chokepoint.busy_ms").unwrap();
    assert!(matches!(busy, Value::DoubleValue(ms) if *ms > 1_000.0), "{busy:?}");

    let queries = named(&trace, "SELECT posts");
    assert_eq!(queries.len(), 101);
    for query in queries {
        assert_eq!((query.span.kind, query.status()), (CLIENT, UNSET));
        assert_eq!(query.span.parent_span_id, request.span.span_id);
        assert!(query.span.start_time_unix_nano >= request.span.start_time_unix_nano);
        assert!(query.span.end_time_unix_nano <= request.span.end_time_unix_nano);
        assert_eq!(query.text("db.system.name"), "sqlite");
        assert_eq!(query.text("db.operation.name"), "SELECT");
        assert_eq!(query.text("db.collection.name"), "posts");
        assert!(query.text("db.query.text").contains("?"), "values are bound: {query:?}");
        assert!([1, 100].contains(&query.int("db.response.returned_rows")));
    }
    assert!(!format!("{trace:?}").contains("secret"), "a query string is in the trace");
    let ids: std::collections::BTreeSet<_> = trace.iter().map(|s| &s.span.span_id).collect();
    assert_eq!(ids.len(), trace.len(), "span ids are unique");
}

#[test]
fn by_http_too_and_with_the_headers_and_the_resource_that_are_set() {
    let receiver = Receiver::http();
    let serving = exporting(
        &receiver,
        "http/protobuf",
        &[
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of%20traces,x-team=blue"),
            ("OTEL_SERVICE_NAME", "workshop"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=other,deployment.environment.name=stage%201",
            ),
        ],
    );
    let answer = client().get(serving.url("/api/labs/n-plus-one/v1/slow")).send().unwrap();
    let trace = receiver.trace(&trace_id(&answer));
    assert_eq!(request_span(&trace).span.name, "GET /api/labs/n-plus-one/v1/slow");
    let mut statements = BTreeMap::<&str, u32>::new();
    for span in trace.iter().filter(|span| span.span.kind == CLIENT) {
        *statements.entry(&span.span.name).or_default() += 1;
    }
    let expected = [("SELECT comments", 100), ("SELECT posts", 1), ("SELECT users", 100)];
    assert_eq!(statements, BTreeMap::from(expected));

    let resource = &trace[0].resource;
    let text = |name: &str| match resource.get(name) {
        Some(Value::StringValue(text)) => text.as_str(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(text("service.name"), "workshop");
    assert_eq!(text("service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text("deployment.environment.name"), "stage 1");
    assert_eq!(text("telemetry.sdk.language"), "rust");
    assert_eq!(text("service.instance.id").len(), 32);
    assert!(matches!(resource.get("process.pid"), Some(Value::IntValue(pid)) if *pid > 1));
    for headers in receiver.headers() {
        assert_eq!(headers["authorization"], "Bearer of traces");
        assert_eq!(headers["x-team"], "blue");
    }
}

#[test]
fn a_failure_of_the_servers_is_an_error_and_one_of_the_clients_is_not() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[("DATABASE_URL", "sqlite://test.db")]);
    crate::command_line::drop_posts(&serving.folder.path().join("test.db"));
    let client = client();
    let get = |path: &str| {
        let answer = client.get(serving.url(path)).send().unwrap();
        (answer.status().as_u16(), receiver.trace(&trace_id(&answer)))
    };

    let (status, trace) = get("/api/posts/v2/fast");
    let request = request_span(&trace);
    assert_eq!((status, request.status()), (500, ERROR));
    assert_eq!(request.int("http.response.status_code"), 500);
    assert_eq!(request.text("error.type"), "500");
    let statement = named(&trace, "SELECT posts")[0];
    assert_eq!((statement.status(), statement.text("error.type")), (ERROR, "refused"));
    // The log line of the cause is an event of the span in which it was logged. A busy machine adds
    // those of a wait for a worker.
    let mut events: Vec<_> = request.span.events.iter().map(|event| event.name.as_str()).collect();
    events.retain(|name| *name != "ready, not polled");
    assert_eq!(events, ["request failed"]);

    let (status, trace) = get("/api/nope");
    let request = request_span(&trace);
    assert_eq!((status, request.status()), (404, UNSET));
    assert_eq!(request.span.name, "GET", "no route, so none in the name");
    assert!(!request.attributes.contains_key("http.route"));
    assert!(!request.attributes.contains_key("error.type"));
}

#[test]
fn a_trace_goes_on_where_the_client_began_it() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = client().get(serving.url("/api/posts/v2/fast"));
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = request.header("tracestate", "k6=abc").send().unwrap();
    assert_eq!(trace_id(&answer), trace);
    let spans = receiver.trace(trace);
    let request = request_span(&spans);
    assert_eq!(hex(&request.span.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(request.span.trace_state, "k6=abc");
    let query = named(&spans, "SELECT posts")[0];
    assert_eq!(query.span.parent_span_id, request.span.span_id);
}

#[test]
fn only_requests_of_the_app_are_traced_and_nothing_that_goes_on_beside_them() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let client = client();
    for path in ["/metrics", "/labs", "/health"] {
        client.get(format!("http://{}{path}", serving.ops)).send().unwrap();
    }
    // Several exports happen during this, each a request of the exporter.
    for _ in 0..5 {
        let answer = client.get(serving.url("/health/ready")).send().unwrap();
        receiver.trace(&trace_id(&answer));
    }
    for span in receiver.spans() {
        let name = span.span.name.as_str();
        assert!(["GET /health/ready", "SELECT 1"].contains(&name), "{name}");
    }
}

/// Value of the program's metric; 0 if it is missing.
pub fn metric(serving: &Serving, series: &str) -> u64 {
    let metrics = client().get(format!("http://{}/metrics", serving.ops)).send().unwrap();
    let metrics = metrics.text().unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |value| value.trim().parse::<f64>().unwrap() as u64)
}

/// Registers a user. Returns its trace id and a token.
fn sign_up(client: &Client, serving: &Serving, version: &str) -> (String, String) {
    let body = serde_json::json!({
        "username": format!("ada{version}"), "email": format!("ada@{version}.example"),
        "password": "correct horse",
    });
    let url = serving.url(&format!("/api/{version}/auth/register"));
    let answer = client.post(url).json(&body).send().unwrap();
    assert_eq!(answer.status(), 201);
    let trace = trace_id(&answer);
    let body: Json = answer.json().unwrap();
    (trace, body["access_token"].as_str().unwrap().to_owned())
}
