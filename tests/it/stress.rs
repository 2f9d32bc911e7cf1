//! `chokepoint stress` against a real server: its report, its exit codes, its refusals.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use opentelemetry_proto::tonic::trace::v1::{TracesData, span::SpanKind};
use serde_json::Value;

use crate::support::TestApp;

fn command(folder: &Path, url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chokepoint"));
    command.env_clear().current_dir(folder).args(["stress", "--url", url]).args(args);
    command
}

fn stress(folder: &Path, url: &str, args: &[&str]) -> Output {
    command(folder, url, args).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// A small load, without goals that depend on the machine.
const SMALL: [&str; 7] = [
    "--devices=7",
    "--lines=23",
    "--batch=5",
    "--in-flight=10",
    "--goal-rate=1",
    "--goal-p95=60000",
    "--json",
];

fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SMALL.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn every_line_is_acknowledged_and_read_back() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().unwrap();
    let output = stress(folder.path(), &app.url(), &small(&["--acknowledged=lines.txt"]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!((&report["requests"], &report["lines_acknowledged"]), (&35.into(), &161.into()));
    // A request to disk takes some time on any machine; zero would meet every goal.
    let latency = |of: &str| report["latency_ms"][of].as_f64().unwrap();
    assert!(0.0 < latency("min") && latency("min") <= latency("p50"), "{report}");
    assert!(latency("p50") <= latency("p99") && latency("p99") <= latency("max"), "{report}");
    let back = &report["query_back"];
    assert_eq!((&back["acknowledged"], &back["found"]), (&161.into(), &161.into()));
    assert_eq!((&back["missing"], &back["twice"]), (&0.into(), &0.into()));
    assert!(report["goals"].as_array().unwrap().iter().all(|goal| goal["met"] == true));
    app.run(async {
        let stats: Value = app.get("/api/stats").await.json().await.unwrap();
        assert_eq!((&stats["lines"], &stats["devices"]), (&161.into(), &7.into()));
    });

    let verify = ["--json", "--verify=lines.txt"];
    let output = stress(folder.path(), &app.url(), &verify);
    assert_eq!(output.status.code(), Some(0));
    let other = TestApp::start();
    let output = stress(folder.path(), &other.url(), &verify);
    assert_eq!(output.status.code(), Some(1), "another database has none of them");
    let back: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&back["missing"], &back["found"]), (&161.into(), &0.into()));
}

#[test]
fn single_lines_are_sent_one_by_one() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().unwrap();
    let args = ["--single", "--devices=3", "--lines=4", "--in-flight=5", "--goal-rate=1"];
    let output = stress(folder.path(), &app.url(), &[&args[..], &["--goal-p95=60000"]].concat());
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.starts_with("12 lines acknowledged in "), "{report}");
    assert!(report.contains("12 requests of 1 lines, 5 in flight"), "{report}");
    assert!(report.contains("12 lines acknowledged, 12 found, 0 missing"), "{report}");
}

#[test]
fn the_slowest_request_that_is_sampled_is_found_by_its_trace() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().unwrap();
    // Few enough that all of them are sampled.
    let few = ["--single", "--devices=2", "--lines=4", "--goal-rate=1", "--goal-p95=60000"];
    let output = stress(folder.path(), &app.url(), &[&few[..], &["--json"]].concat());
    let traces = &report(&output)["traces"];
    let slowest = &traces["slowest_sampled"];
    assert_eq!((slowest, &slowest["sampled"]), (&traces["slowest"], &true.into()));
    assert_eq!(traces["first_failed"], Value::Null);
    app.run(async {
        let id = slowest["trace_id"].as_str().unwrap();
        let trace = app.get_ops(&format!("/debug/traces/{id}")).await;
        assert_eq!(trace.status(), 200, "{id}");
        let trace: TracesData = trace.json().await.unwrap();
        let scopes = trace.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        let mut spans = scopes.flat_map(|scope| scope.spans);
        let request = spans.find(|span| span.kind() == SpanKind::Server).unwrap();
        assert_eq!(request.name, "POST /api/log");
        let parent: String = request.parent_span_id.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(slowest["span_id"], parent);
    });

    let report = String::from_utf8(stress(folder.path(), &app.url(), &few).stdout).unwrap();
    let line = report.lines().find(|line| line.starts_with("slowest: ")).unwrap();
    let (_, link) = line.split_once(" ms, ").unwrap();
    let path = link.strip_suffix(" on the ops port").unwrap();
    assert_eq!(app.run(app.get_ops(path)).status(), 200, "{path}");
}

#[test]
fn a_goal_that_is_missed_is_exit_code_1() {
    let app = TestApp::start_with(&["--ingest-queue=1", "--ingest-delay=20ms"]);
    let folder = tempfile::tempdir().unwrap();
    let output = stress(folder.path(), &app.url(), &small(&[]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["failures"]["status 503"].as_u64().unwrap() > 0, "{report}");
    let failed = &report["traces"]["first_failed"];
    assert_eq!(failed["failure"], "status 503");
    assert_eq!(failed["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!((&report["goals"][2]["met"], &report["all_met"]), (&false.into(), &false.into()));
    assert_eq!(report["query_back"]["missing"], 0, "what was acknowledged is there all the same");

    let roomy = TestApp::start();
    let output =
        stress(folder.path(), &roomy.url(), &["--goal-rate=1e12", "--devices=1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_load_that_is_stopped_reports_what_was_acknowledged_until_then() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().unwrap();
    // A load of minutes.
    let args = ["--lines=100000", "--json", "--acknowledged=lines.txt"];
    let load = command(folder.path(), &app.url(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    app.run(async {
        while app.get("/api/stats").await.json::<Value>().await.unwrap()["lines"] == 0 {
            tokio::task::yield_now().await;
        }
    });
    kill(Pid::from_raw(i32::try_from(load.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = load.wait_with_output().unwrap();
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    let acknowledged = report["lines_acknowledged"].as_u64().unwrap();
    assert!(acknowledged > 0, "{report}");
    // Requests in flight were awaited, so nothing else has failed.
    let failures = report["failures"].as_object().unwrap();
    assert_eq!(failures.keys().collect::<Vec<_>>(), ["not sent, as it was stopped"]);
    assert_eq!(report["requests"].as_u64().unwrap() * 5, acknowledged);
    let back = &report["query_back"];
    assert_eq!((&back["acknowledged"], &back["missing"]), (&acknowledged.into(), &0.into()));
    let written = std::fs::read_to_string(folder.path().join("lines.txt")).unwrap();
    assert_eq!(written.lines().count() as u64 * 5, acknowledged);
}

#[test]
fn what_cannot_be_tried_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}");
    for (url, args, reason) in [
        (nobody.as_str(), vec![], "no connection"),
        ("http://192.0.2.1:8000", vec![], "--allow-remote"),
        ("http://example.com", vec![], "--allow-remote"),
        ("https://127.0.0.1:8000", vec![], "is not like http://127.0.0.1:8000"),
        ("nonsense", vec![], "is not a URL"),
        (nobody.as_str(), vec!["--devices=0"], "--devices"),
        (nobody.as_str(), vec!["--batch=5", "--single"], "--single"),
        (nobody.as_str(), vec!["--in-flight=1001"], "--in-flight"),
    ] {
        let output = stress(folder.path(), url, &args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{url} {args:?}: {error}");
        assert!(error.contains(reason) && error.lines().count() == 1, "{url} {args:?}: {error}");
    }
}
