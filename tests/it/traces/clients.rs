//! Traces that begin with a client of ours.

use serde_json::Value;

use super::{Receiver, exporting, hex, request_span};
use crate::program::program;

#[test]
fn of_a_load_few_requests_are_exported_and_each_is_a_child_of_the_clients_span() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let load = ["stress", "--devices=20", "--lines=100", "--batch=1", "--json"];
    let mut command = program(serving.folder.path());
    let output = command.args(load).args(["--url", &serving.url("")]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["requests"], 2_000);

    let slowest = &report["traces"]["slowest_sampled"];
    let trace = receiver.trace(slowest["trace_id"].as_str().unwrap());
    let request = request_span(&trace);
    assert_eq!(slowest["span_id"], hex(&request.span.parent_span_id));
    serving.signal(nix::sys::signal::Signal::SIGTERM);
    serving.end();
    let sent: Vec<_> = receiver.spans();
    let sent =
        sent.iter().filter(|span| span.span.name == "POST /api/logs/batch").collect::<Vec<_>>();
    assert!(sent.iter().all(|span| span.span.parent_span_id.len() == 8), "{sent:?}");
    // As many as it may ask for; without a word from the client it would be all of them.
    let most = 10.0 + 10.0 * report["seconds"].as_f64().unwrap();
    assert!((10.0..=most).contains(&(sent.len() as f64)), "{} of 2,000", sent.len());
}
