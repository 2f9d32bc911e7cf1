//! Timeouts of connections: of a head, a body, an answer, and of silence.

use std::{
    io::{Read, Write},
    net::Shutdown,
    thread,
    time::Duration,
};

use reqwest::blocking::Client;

use crate::{
    program::Serving,
    raw::{GET, answer, connect, pause, send, until_closed},
};

/// Limits of their number.
mod limits;

/// Request that both ports answer.
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HALF: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n";
/// Route of a lab's wrong fix: it takes two seconds and blocks no thread.
const TWO_SECONDS: &str = "/api/posts/v4/tokio-sleep";
/// Requests whose answers are many times as large as the buffers of a connection.
const MANY: usize = 300;

fn closed(port: &str, reason: &str) -> String {
    format!("chokepoint_connections_closed_total{{port=\"{port}\",reason=\"{reason}\"}}")
}

fn large(count: usize) -> String {
    "GET /api/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(count)
}

#[test]
fn half_a_head_is_closed_however_slowly_it_goes_on() {
    let serving = Serving::start(&[("HEAD_TIMEOUT", "1s"), ("IDLE_TIMEOUT", "1h")]);
    for (port, address) in [("app", serving.app), ("ops", serving.ops)] {
        let mut half = send(address, HALF);
        let mut second = send(address, HEALTH);
        assert!(answer(&mut second).starts_with("HTTP/1.1 200 "));
        write!(second, "G").unwrap();
        let mut trickles = send(address, HALF);
        let mut writes = trickles.try_clone().unwrap();
        let trickle = thread::spawn(move || {
            (0..250).any(|_| {
                pause(Duration::from_millis(100));
                writes.write_all(b"x").is_err()
            })
        });
        assert_eq!(until_closed(&mut half), "");
        assert_eq!(until_closed(&mut second), "");
        assert_eq!(until_closed(&mut trickles), "");
        assert!(trickle.join().unwrap(), "{port}: it goes on for ever");
        serving.wait_for_metric(&closed(port, "head"), 3);
    }
}

#[test]
fn a_connection_without_a_request_is_closed_and_one_that_waits_for_its_handler_is_not() {
    let limits = [("IDLE_TIMEOUT", "1s"), ("WRITE_TIMEOUT", "1s"), ("HEAD_TIMEOUT", "1s")];
    let serving = Serving::start(&limits);
    for address in [serving.app, serving.ops] {
        let mut silent = connect(address);
        let mut used = send(address, HEALTH);
        assert!(answer(&mut used).starts_with("HTTP/1.1 200 "));
        // HTTP/2 settings, and no request.
        let mut http2 = send(address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert_eq!(until_closed(&mut silent), "");
        assert_eq!(until_closed(&mut used), "");
        until_closed(&mut http2);
    }
    serving.wait_for_metric(&closed("app", "idle"), 3);
    let waits = Client::builder().no_proxy().build().unwrap().get(serving.url(TWO_SECONDS));
    assert_eq!(waits.send().unwrap().status(), 200);
}

#[test]
fn an_answer_of_which_nothing_is_read_is_given_up_and_a_slow_reader_gets_all_of_it() {
    let serving = Serving::start(&[("WRITE_TIMEOUT", "1s")]);
    let _unread = send(serving.app, &large(MANY));
    let mut slow = send(serving.app, &large(MANY));
    let mut length = 0;
    let mut piece = vec![0; 64 * 1024];
    // Three times as long as the write timeout.
    for _ in 0..30 {
        pause(Duration::from_millis(100));
        length += slow.read(&mut piece).unwrap();
    }
    serving.wait_for_metric(&closed("app", "write"), 1);
    let mut whole = send(serving.app, &large(1));
    let one = answer(&mut whole).len();
    slow.shutdown(Shutdown::Write).unwrap();
    length += until_closed(&mut slow).len();
    // The answers differ only in their ids and times.
    let expected = one * MANY;
    assert!(length.abs_diff(expected) < expected / 100, "{length} of {expected} bytes");
}

#[test]
fn a_window_of_nothing_is_a_client_that_reads_nothing() {
    let serving = Serving::start(&[("WRITE_TIMEOUT", "1s")]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(serving.app).await.unwrap();
        let mut client = h2::client::Builder::new();
        let client = client.initial_window_size(0).handshake::<_, bytes::Bytes>(tcp);
        let (mut requests, mut connection) = client.await.unwrap();
        let mut pings = connection.ping_pong().unwrap();
        let ended = tokio::spawn(async move { drop(connection.await) });
        // The client is alive and keeps sending pings.
        tokio::spawn(async move { while pings.ping(h2::Ping::opaque()).await.is_ok() {} });
        let mut unread = Vec::new();
        for _ in 0..20 {
            let request = http::Request::get(format!("http://{}/api/openapi.json", serving.app));
            let (answer, _) = requests.send_request(request.body(()).unwrap(), true).unwrap();
            unread.push(answer.await.unwrap());
        }
        tokio::time::timeout(Duration::from_secs(25), ended)
            .await
            .expect("it is still open")
            .unwrap();
    });
    serving.wait_for_metric(&closed("app", "write"), 1);
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let serving = Serving::start(&[("BODY_TIMEOUT", "1s")]);
    let head = "POST /api/log HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let mut half = send(serving.app, head);
    assert!(until_closed(&mut half).starts_with("HTTP/1.1 408 "));
}

#[test]
fn who_sends_nothing_more_still_gets_the_answer() {
    let serving = Serving::start(&[]);
    let line = r#"{"device_id":"half","log_level":"INFO","message":"m"}"#;
    let post = format!(
        "POST /api/log HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{line}",
        line.len()
    );
    let get = format!("GET {TWO_SECONDS} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    // An answer may be complete before the connection's first wait, or long after it.
    let requests = [GET; 100].into_iter().chain([post.as_str(); 20]).chain([get.as_str()]);
    for request in requests {
        let mut connection = send(serving.app, request);
        connection.shutdown(Shutdown::Write).unwrap();
        let answer = until_closed(&mut connection);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request:?}: {answer:?}");
    }
    let stats = Client::builder().no_proxy().build().unwrap().get(serving.url("/api/stats"));
    let stats: serde_json::Value = stats.send().unwrap().json().unwrap();
    assert_eq!(stats["lines"], 20);
}

#[test]
fn who_breaks_off_in_a_body_is_told_so() {
    let serving = Serving::start(&[]);
    let head = "POST /api/log HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let mut broken = send(serving.app, head);
    broken.shutdown(Shutdown::Write).unwrap();
    assert!(until_closed(&mut broken).starts_with("HTTP/1.1 400 "));
}
