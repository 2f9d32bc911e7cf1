//! Traces are the same with tokio-console on.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use observe::{cost::Counter, logs::CONSOLE};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData, span::SpanKind};
use reqwest::{Method, blocking::Client};
use serde_json::json;

use crate::{kept_traces::of, program::Serving, traces::metric};

/// Attempts, 100 ms apart.
const ATTEMPTS: usize = 600;

fn in_time(holds: impl Fn() -> bool) -> bool {
    let again = || thread::park_timeout(Duration::from_millis(100));
    (0..ATTEMPTS).any(|_| {
        holds() || {
            again();
            false
        }
    })
}

/// A span: its name, its parent's name, its kind, and its attribute keys, without those of the
/// request's cost: one that is zero is left out.
type Seen = (String, String, i32, Vec<String>);

fn seen(span: &Span, trace: &[Span]) -> Seen {
    let parent = trace.iter().find(|parent| parent.span_id == span.parent_span_id);
    let parent = parent.map_or("", |parent| &parent.name).to_owned();
    let cost: Vec<_> =
        Counter::ALL.iter().filter_map(|counter| Some(counter.row()?.names.attribute)).collect();
    let keys = span.attributes.iter().map(|a| a.key.clone());
    let mut keys: Vec<_> = keys.filter(|key| !cost.contains(&key.as_str())).collect();
    keys.sort();
    (span.name.clone(), parent, span.kind, keys)
}

/// Number of each span in the traces of some requests, one map per request.
fn traces(settings: &[(&str, &str)]) -> Vec<BTreeMap<Seen, usize>> {
    let serving =
        Serving::start(&[settings, &[("BCRYPT_COST", "4"), ("INSECURE", "true")]].concat());
    // The console's listener has its own thread, which may start late.
    let is_on = || TcpStream::connect(SocketAddr::from(CONSOLE)).is_ok();
    assert!(settings.is_empty() || in_time(is_on), "nobody listens for tokio-console");
    let client = Client::builder().no_proxy().build().unwrap();
    let account = |name: &str| json!({"username": name, "email": format!("{name}@example.com"), "password": "correct horse"});
    let line = json!({"device_id": "d", "log_level": "INFO", "message": "21.5 degrees"});
    let requests = [
        (Method::GET, "/api/posts/v2/fast", None),
        (Method::GET, "/api/labs/n-plus-one/v1/slow", None),
        // These use blocking threads, the thread-per-request pool, and the writer's task.
        (Method::POST, "/api/v1/auth/register", Some(account("ada"))),
        (Method::POST, "/api/v2/auth/register", Some(account("bob"))),
        (Method::POST, "/api/log", Some(line)),
    ];
    let trace = |(method, path, body): (Method, &str, Option<serde_json::Value>)| {
        let request = client.request(method, serving.url(path));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let id = answer.headers()["x-trace-id"].to_str().unwrap();
        let url = format!("http://{}/debug/traces/{id}", serving.ops);
        let trace = of(&client.get(&url).send().unwrap().json::<TracesData>().unwrap());
        let has_request = trace.iter().any(|span| span.kind() == SpanKind::Server);
        assert!(has_request, "{path}: its trace has no request");
        let mut spans = BTreeMap::new();
        // The wait for a connection depends on the machine.
        for span in trace.iter().filter(|span| span.name != "pool wait") {
            *spans.entry(seen(span, &trace)).or_default() += 1;
        }
        spans
    };
    let count = requests.len();
    let traces = requests.map(trace).to_vec();
    let kept = metric(&serving, "chokepoint_trace_ring_traces ");
    assert_eq!(kept, count as u64, "something else than a request has a trace");
    traces
}

#[test]
fn with_tokio_console_on_a_trace_has_the_same_spans_and_none_of_tokios() {
    let off = traces(&[]);
    // The console has one fixed port.
    let is_free = || TcpListener::bind(SocketAddr::from(CONSOLE)).is_ok();
    assert!(in_time(is_free), "another process has the port of tokio-console");
    let on = traces(&[("TOKIO_CONSOLE", "true")]);
    assert_eq!(off[1].values().sum::<usize>(), 202, "the request and its queries");
    for (off, on) in off.iter().zip(&on) {
        assert_eq!(on, off);
        let ours = |(name, ..): &Seen| !name.starts_with("runtime.") && !name.is_empty();
        assert!(on.keys().all(ours), "{on:?}");
    }
}
