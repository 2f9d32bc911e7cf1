//! Exported requests: as the standard sampler decides, for a whole trace at once.

use super::{Receiver, client, exporting, spans_but_waits, trace_id};
use crate::program::Serving;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e473";

/// Sends a request with a trace of this number and these flags.
fn ask(serving: &Serving, n: u8, flags: &str) -> String {
    let request = client().get(serving.url("/api/posts/v2/fast"));
    let parent = format!("00-{TRACE}{n}-00f067aa0ba902b7-{flags}");
    trace_id(&request.header("traceparent", parent).send().unwrap())
}

#[test]
fn by_default_a_parent_decides_and_what_has_none_is_exported() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let left_out = ask(&serving, 1, "00");
    let sampled = ask(&serving, 2, "01");
    let own = trace_id(&client().get(serving.url("/api/posts/v2/fast")).send().unwrap());
    assert_eq!(spans_but_waits(&receiver.trace(&sampled)), 2, "the request and its query");
    receiver.trace(&own);
    assert!(receiver.spans().iter().all(|span| span.trace() != left_out));
}

#[test]
fn a_sampler_that_takes_none_takes_those_that_a_parent_asks_for() {
    let receiver = Receiver::http();
    let sampler = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let serving = exporting(&receiver, "http/protobuf", &sampler);
    // The first request of a route is kept in the span store. Keeping is not exporting.
    client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
    let sampled = ask(&serving, 3, "01");
    receiver.trace(&sampled);
    assert!(receiver.spans().iter().all(|span| span.trace() == sampled));
}

#[test]
fn a_ratio_is_held_by_whole_traces() {
    let receiver = Receiver::grpc();
    let sampler = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.5")];
    let serving = exporting(&receiver, "grpc", &sampler);
    let client = client();
    for _ in 0..200 {
        client.get(serving.url("/health/ready")).send().unwrap();
    }
    // Half of 200; the chance of fewer than 50 or more than 150 is one in a million million.
    let spans = receiver.wait_for(|spans| spans.len() >= 50);
    serving.signal(nix::sys::signal::Signal::SIGTERM);
    serving.end();
    let traces: std::collections::BTreeSet<_> =
        receiver.spans().iter().map(super::Received::trace).collect();
    assert!((50..=150).contains(&traces.len()), "{}", traces.len());
    assert!(spans.len() <= receiver.spans().len());
}

#[test]
fn disabled_there_are_no_traces_and_the_ids_are_there_all_the_same() {
    let receiver = Receiver::grpc();
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let serving = exporting(&receiver, "grpc", &[off]);
        let answer = client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
        assert_eq!(trace_id(&answer).len(), 32);
        serving.signal(nix::sys::signal::Signal::SIGTERM);
        assert_eq!(serving.end().0, Some(0));
    }
    assert!(receiver.headers().is_empty(), "something was exported");
}
