//! Shutdown: not ready first, then no new requests, and no waiting for idle clients.

use std::{io::Write, net::TcpStream, time::Duration};

use nix::sys::signal::Signal;
use reqwest::blocking::Client;

use crate::{
    program::Serving,
    raw::{GET, answer, connect, pause, send, until_closed},
};

/// A timeout that no test may reach.
const FOR_EVER: (&str, &str) = ("SHUTDOWN_TIMEOUT", "3600");
const TWO_SECONDS: &str = "GET /api/posts/v4/tokio-sleep HTTP/1.1\r\nhost: x\r\n\r\n";

fn status(serving: &Serving, path: &str) -> u16 {
    let client = Client::builder().no_proxy().build().unwrap();
    client.get(serving.url(path)).send().unwrap().status().as_u16()
}

fn wait_until_pending(serving: &Serving) {
    serving.wait_until_pending(|| false);
}

#[test]
fn it_says_that_it_leaves_and_works_on_until_the_drain_period_is_over() {
    let serving = Serving::start(&[("DRAIN_PERIOD", "3s"), FOR_EVER]);
    let mut before = send(serving.app, GET);
    assert!(!answer(&mut before).contains("connection: close"));
    let mut waits = send(serving.app, TWO_SECONDS);
    wait_until_pending(&serving);
    serving.signal(Signal::SIGTERM);
    while status(&serving, "/health/ready") == 200 {}
    for path in ["/health", "/health/ready"] {
        assert_eq!(status(&serving, path), 503, "{path}");
    }
    assert_eq!(status(&serving, "/health/live"), 200);
    // An open connection, and a new one.
    write!(before, "{GET}").unwrap();
    for connection in [&mut before, &mut send(serving.app, GET), &mut waits] {
        let answer = until_closed(connection);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    assert_eq!(serving.ended().code(), Some(0));
}

#[test]
fn nobody_who_sends_nothing_holds_the_end() {
    let serving = Serving::start(&[FOR_EVER]);
    let half = "GET /health/live HTTP/1.1\r\nhost: x\r\n";
    let mut used = send(serving.app, GET);
    answer(&mut used);
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let on = |address| [connect(address), send(address, half), send(address, http2)];
    let _open = (used, on(serving.app), on(serving.ops));
    serving.wait_for_metric("chokepoint_connections{port=\"app\"}", 4);
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().code(), Some(0));
}

#[test]
fn an_answer_that_nobody_reads_does_not_hold_the_end_and_is_no_success() {
    let serving = Serving::start(&[FOR_EVER]);
    let many = "GET /api/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(300);
    let _unread = send(serving.app, &many);
    // All requests are answered, but not read.
    let done = || {
        let metrics = serving.metrics();
        let done = metrics.lines().find(|line| {
            line.starts_with("axum_http_requests_total") && line.contains("/api/openapi.json")
        });
        done.map(str::to_owned)
    };
    let mut seen = done();
    loop {
        pause(Duration::from_millis(500));
        let now = done();
        if now.is_some() && now == seen {
            break;
        }
        seen = now;
    }
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().code(), Some(1));
}

/// An HTTP/2 client with a request, its answer, and no window for it.
#[test]
fn a_client_of_http2_that_reads_nothing_does_not_hold_the_end() {
    let serving = Serving::start(&[FOR_EVER]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(serving.app).await.unwrap();
        let mut client = h2::client::Builder::new();
        let client = client.initial_window_size(0).handshake::<_, bytes::Bytes>(tcp);
        let (mut requests, connection) = client.await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://{}/api/openapi.json", serving.app));
        let (answer, _) = requests.send_request(request.body(()).unwrap(), true).unwrap();
        let _unread = answer.await.unwrap();
        serving.signal(Signal::SIGTERM);
        assert_eq!(serving.ended().code(), Some(1));
    });
}

#[test]
fn a_request_that_is_cut_off_is_no_success() {
    let serving = Serving::start(&[("SHUTDOWN_TIMEOUT", "0")]);
    let mut cut_off = send(serving.app, TWO_SECONDS);
    wait_until_pending(&serving);
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().code(), Some(1));
    assert_eq!(until_closed(&mut cut_off), "");
}

#[test]
fn a_request_that_has_not_arrived_whole_is_none() {
    let serving = Serving::start(&[("SHUTDOWN_TIMEOUT", "0")]);
    let head = "POST /api/log HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let _half: TcpStream = send(serving.app, head);
    wait_until_pending(&serving);
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().code(), Some(0));
}

#[test]
fn a_second_signal_ends_the_drain_period() {
    let serving = Serving::start(&[("DRAIN_PERIOD", "1h")]);
    serving.signal(Signal::SIGTERM);
    while status(&serving, "/health/ready") == 200 {}
    serving.signal(Signal::SIGINT);
    assert_eq!(serving.ended().code(), Some(130));
}
