//! An absent receiver costs spans, never requests; at shutdown everything is exported.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use super::{Receiver, client, exporting, metric, spans_but_waits, trace_id};
use crate::program::Serving;

const LOST: &str = "chokepoint_spans_dropped_total{reason=\"export_failed\"}";
const NO_ROOM: &str = "chokepoint_spans_dropped_total{reason=\"queue_full\"}";

#[test]
fn what_is_recorded_is_exported_before_the_end() {
    for protocol in ["grpc", "http/protobuf"] {
        let receiver = if protocol == "grpc" { Receiver::grpc() } else { Receiver::http() };
        // So long that only the shutdown can cause an export.
        let serving = exporting(&receiver, protocol, &[("OTEL_BSP_SCHEDULE_DELAY", "3600000")]);
        let answer = client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
        assert!(receiver.spans().is_empty());
        serving.signal(Signal::SIGTERM);
        assert_eq!(serving.end().0, Some(0));
        let trace = receiver.trace(&trace_id(&answer));
        assert_eq!(spans_but_waits(&trace), 2, "by {protocol}");
    }
}

#[test]
fn without_a_receiver_requests_are_answered_and_lost_spans_counted() {
    // A closed port.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for protocol in ["grpc", "http/protobuf"] {
        let serving = Serving::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{nobody}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ]);
        let client = client();
        // Waits until at least two batches are lost.
        let mut answered = 0;
        while metric(&serving, LOST) <= 64 || metric(&serving, NO_ROOM) == 0 {
            let answer = client.get(serving.url("/api/labs/n-plus-one/v1/slow")).send().unwrap();
            assert_eq!(answer.status(), 200);
            answered += 1;
            assert!(answered < 1_000, "nothing is counted as lost");
        }
        serving.signal(Signal::SIGTERM);
        let (code, lines) = serving.end();
        assert_eq!(code, Some(0), "by {protocol}");
        let is_about_traces = |line: &&serde_json::Value| {
            let target = line["target"].as_str().unwrap();
            target.starts_with("opentelemetry") || target.contains("::traces")
        };
        let logged: Vec<_> = lines.iter().filter(is_about_traces).collect();
        assert_eq!(logged.len(), 1, "one line a minute: {logged:?}");
        assert_eq!(logged[0]["fields"]["message"], "traces can't be exported");
    }
}

#[test]
fn a_receiver_that_never_answers_does_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = silent.local_addr().unwrap();
    for protocol in ["grpc", "http/protobuf"] {
        let serving = Serving::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{addr}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        ]);
        let answer = client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
        assert_eq!(answer.status(), 200);
        serving.signal(Signal::SIGTERM);
        let (code, lines) = serving.end();
        assert_eq!(code, Some(0), "by {protocol}");
        let warned = "traces that were recorded may not be exported";
        assert!(lines.iter().any(|line| line["fields"]["message"] == warned), "{lines:?}");
    }
}
