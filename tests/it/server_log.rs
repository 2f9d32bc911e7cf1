//! The program's own log: access lines, private data, and a reader that does not read.

use nix::sys::signal::Signal;
use reqwest::blocking::Client;

use crate::program::Serving;

/// Requests; if nobody reads, 16,384 of their lines are queued, and as many as fit into a pipe.
const REQUESTS: usize = 20_000;

#[test]
fn an_access_line_has_budget_and_ids_in_both_formats() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for format in ["json", "pretty"] {
        let mut serving = Serving::start(&[("LOG_FORMAT", format)]);
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.get(serving.url("/api/labs/n-plus-one/v1/slow"));
        let request = request.header("x-request-id", "the-one");
        let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
        assert_eq!(request.send().unwrap().status(), 200);
        let lines = serving.wait_for_message("the-one");
        let line = lines.lines().last().unwrap();
        let parts: &[&str] = if format == "json" {
            &["\"request_id\":\"the-one\"", "\"queries\":201", "\"rows\":300", "\"status\":200"]
        } else {
            &["request_id=the-one", " queries=201", " rows=300", " 200 "]
        };
        for part in parts.iter().chain([&trace]) {
            assert!(line.contains(part), "{part} is missing: {line}");
        }
    }
}

#[test]
fn requests_go_on_when_nobody_reads_the_log_and_each_lost_line_is_counted() {
    let mut serving = Serving::start(&[]);
    let client = Client::builder().no_proxy().build().unwrap();
    for _ in 0..REQUESTS {
        assert_eq!(client.get(serving.url("/health/live")).send().unwrap().status(), 200);
    }
    let metrics = client.get(format!("http://{}/metrics", serving.ops)).send().unwrap();
    let metrics = metrics.text().unwrap();
    let mut lines = metrics.lines();
    let dropped = lines.find_map(|line| line.strip_prefix("chokepoint_log_lines_dropped_total "));
    let dropped: usize = dropped.unwrap().parse().unwrap();
    assert!(dropped > 0, "{REQUESTS} lines found room");
    // Once it is read there is room for another line, after all buffered lines.
    let read = serving.wait_for_access_lines(REQUESTS - dropped);
    let last = client.get(serving.url("/health")).header("x-request-id", "the-last");
    assert_eq!(last.send().unwrap().status(), 200);
    let rest = serving.wait_for_message("the-last");
    let path = "\"path\":\"/health/live\"";
    assert_eq!((read.len(), rest.matches(path).count()), (REQUESTS - dropped, 0));
    assert!(read.iter().all(|line| line.contains(path)));
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.end().0, Some(0));
}
