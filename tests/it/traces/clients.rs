//! Traces of a load, a few of which start at the client: its headers, its report, and the server's
//! view.

use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};

use super::{Receiver, exporting, hex, request_span};
use crate::program::{Serving, program, text};

/// Report of a load of requests with one line each.
fn load(url: &str, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.args(["stress", "--devices=20", "--batch=1", "--url", url]).args(args);
    text(&command.output().unwrap().stdout)
}

fn report(url: &str, args: &[&str]) -> Value {
    serde_json::from_str(&load(url, &[args, &["--json"]].concat())).unwrap()
}

/// Expected number of sampled requests in a load: at least those of the start.
fn few(report: &Value) -> std::ops::RangeInclusive<f64> {
    10.0..=10.0 + 10.0 * report["seconds"].as_f64().unwrap()
}

#[test]
fn of_a_load_few_requests_are_exported_and_each_is_a_child_of_the_clients_span() {
    let receiver = Receiver::grpc();
    // Requests without a parent follow the sampler, whose default would take them all.
    let sampler = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let serving = exporting(&receiver, "grpc", &sampler);
    let report = report(&serving.url(""), &["--lines=100"]);
    assert_eq!(report["requests"], 2_000);

    let slowest = &report["traces"]["slowest_sampled"];
    let trace = receiver.trace(slowest["trace_id"].as_str().unwrap());
    let request = request_span(&trace);
    assert_eq!(slowest["span_id"], hex(&request.span.parent_span_id));
    serving.signal(Signal::SIGTERM);
    serving.end();
    let sent: Vec<_> = receiver.spans();
    let sent =
        sent.iter().filter(|span| span.span.name == "POST /api/logs/batch").collect::<Vec<_>>();
    assert!(sent.iter().all(|span| span.span.parent_span_id.len() == 8), "{sent:?}");
    assert!(few(&report).contains(&(sent.len() as f64)), "{} of 2,000", sent.len());
}

#[test]
fn the_servers_log_has_the_slowest_and_the_first_that_failed() {
    let serving = Serving::start(&[("INGEST_QUEUE", "1"), ("INGEST_DELAY", "20ms")]);
    let report = report(&serving.url(""), &["--lines=20"]);
    serving.signal(Signal::SIGTERM);
    let (_, lines) = serving.end();
    for (which, status) in [("slowest", 200), ("slowest_sampled", 200), ("first_failed", 503)] {
        let named = &report["traces"][which];
        if which == "slowest_sampled" && named.is_null() {
            // None of these got room in the queue.
            continue;
        }
        let is_of_it =
            |line: &&Value| line["target"] == "access" && line["trace_id"] == named["trace_id"];
        let of_it: Vec<_> = lines.iter().filter(is_of_it).collect();
        assert_eq!(of_it.len(), 1, "{which}: {named}");
        let (route, answered) = (&of_it[0]["route"], &of_it[0]["status"]);
        assert_eq!((route, answered), (&"/api/logs/batch".into(), &status.into()), "{which}");
        assert_eq!(named["sampled"], named["span_id"].is_string(), "{which}");
    }
}

/// A server that stores only the `traceparent` of each request, if there is one.
struct Fake {
    url: String,
    parents: Arc<Mutex<Vec<Option<String>>>>,
    _runtime: Runtime,
}

impl Fake {
    /// Starts it with its answers to requests with a `traceparent`, and without one.
    fn start(sampled: fn() -> Response, other: fn() -> Response) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parents = Arc::<Mutex<Vec<_>>>::default();
        let seen = parents.clone();
        let answer = move |headers: HeaderMap| async move {
            let parent = headers.get("traceparent").map(|id| id.to_str().unwrap().to_owned());
            seen.lock().unwrap().push(parent.clone());
            if parent.is_some() { sampled() } else { other() }
        };
        let router = Router::new()
            .route("/api/stats", get(async || {}))
            .route("/api/logs/batch", post(answer));
        runtime.spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { url, parents, _runtime: runtime }
    }

    /// Ids of trace and span of each sampled request.
    fn sent(&self) -> Vec<[String; 2]> {
        let parents = self.parents.lock().unwrap();
        let ids = |parent: &String| {
            let parts: Vec<_> = parent.split('-').collect();
            assert_eq!((parts.len(), parts[0], parts[3]), (4, "00", "01"), "{parent}");
            [parts[1].to_owned(), parts[2].to_owned()]
        };
        parents.iter().flatten().map(ids).collect()
    }
}

const OF_THE_ANSWER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn answered() -> Response {
    [("x-trace-id", OF_THE_ANSWER)].into_response()
}

#[test]
fn few_requests_send_a_trace_and_the_others_are_named_by_their_answer() {
    let refused = || (StatusCode::SERVICE_UNAVAILABLE, answered()).into_response();
    let fake = Fake::start(refused, answered);
    let report = report(&fake.url, &["--lines=20"]);
    let sent = fake.sent();
    assert_eq!(fake.parents.lock().unwrap().len(), 400);
    assert!(few(&report).contains(&(sent.len() as f64)), "{} of 400", sent.len());

    let traces = &report["traces"];
    let failed = &traces["first_failed"];
    let ids = ["trace_id", "span_id"].map(|id| failed[id].as_str().unwrap().to_owned());
    assert!(sent.contains(&ids), "{failed} is not among {sent:?}");
    assert_eq!((&failed["sampled"], &failed["failure"]), (&true.into(), &"status 503".into()));
    let slowest = &traces["slowest"];
    assert_eq!((&slowest["trace_id"], &slowest["sampled"]), (&OF_THE_ANSWER.into(), &false.into()));
    assert_eq!(slowest.get("span_id"), None);
    assert_eq!(traces["slowest_sampled"], Value::Null, "none was acknowledged");

    let output = load(&fake.url, &["--lines=20"]);
    assert!(output.contains(&format!("ms, trace {OF_THE_ANSWER} in the access log")), "{output}");
}

#[test]
fn a_request_that_sent_no_trace_and_got_no_answer_has_none() {
    // Ends the connection without an answer.
    let fake = Fake::start(answered, || resume_unwind(Box::new(())));
    let report = report(&fake.url, &["--lines=20"]);
    let traces = &report["traces"];
    let failed = &traces["first_failed"];
    assert_eq!((failed.get("trace_id"), failed.get("span_id")), (Some(&Value::Null), None));
    assert_eq!(
        (&failed["sampled"], &failed["failure"]),
        (&false.into(), &"connection broke".into())
    );
    let slowest = &traces["slowest"];
    let ids = ["trace_id", "span_id"].map(|id| slowest[id].as_str().unwrap().to_owned());
    assert!(
        fake.sent().contains(&ids),
        "what was sent goes before what the answer says: {slowest}"
    );
    assert_eq!(slowest, &traces["slowest_sampled"]);

    let output = load(&fake.url, &["--lines=20"]);
    let line = output.lines().find(|line| line.starts_with("first failed: ")).unwrap();
    assert!(line.ends_with(" ms, connection broke, no trace"), "{line}");
}
