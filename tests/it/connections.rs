//! Timeouts of connections, and limits of their number.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use reqwest::blocking::Client;

use crate::{
    program::Serving,
    raw::{GET, answer, connect, is_open, pause, send, until_closed},
};

/// Request that both ports answer.
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HALF: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n";
/// Route of a lab's wrong fix: it takes two seconds and blocks no thread.
const TWO_SECONDS: &str = "/api/posts/v4/tokio-sleep";
const PENDING_LINES: &str = "axum_http_requests_pending{method=\"POST\",endpoint=\"/api/log\"}";
/// Requests whose answers are many times as large as the buffers of a connection.
const MANY: usize = 300;

fn closed(port: &str, reason: &str) -> String {
    format!("chokepoint_connections_closed_total{{port=\"{port}\",reason=\"{reason}\"}}")
}

fn refused(reason: &str) -> String {
    format!("chokepoint_connections_refused_total{{port=\"app\",reason=\"{reason}\"}}")
}

fn large(count: usize) -> String {
    "GET /api/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(count)
}

/// A request without its last byte, `}`: it is in flight until that comes.
fn line_but_its_end(headers: &str) -> String {
    let line = r#"{"device_id":"busy","log_level":"INFO","message":"m""#;
    format!(
        "POST /api/log HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{line}",
        line.len() + 1
    )
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
    for request in [post.as_str(); 20].into_iter().chain([GET, get.as_str()]) {
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

#[test]
fn a_full_port_closes_who_is_idle_and_refuses_others_with_503() {
    let serving = Serving::start(&[("MAX_CONNECTIONS", "4"), ("BODY_TIMEOUT", "1h")]);
    let idle: Vec<_> = (0..4).map(|_| connect(serving.app)).collect();
    let mut one_more = send(serving.app, GET);
    assert!(answer(&mut one_more).starts_with("HTTP/1.1 200 "));
    serving.wait_for_metric(&closed("app", "room"), 1);
    assert_eq!(idle.iter().filter(|connection| is_open(connection)).count(), 3);
    drop((idle, one_more));
    serving.wait_for_metric("chokepoint_connections{port=\"app\"}", 0);
    let mut busy: Vec<_> = (0..4).map(|_| send(serving.app, &line_but_its_end(""))).collect();
    serving.wait_for_metric(PENDING_LINES, 4);
    let said = until_closed(&mut send(serving.app, GET));
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 1"), "{said:?}");
    assert!(said.contains("application/problem+json"), "{said:?}");
    serving.wait_for_metric(&refused("full"), 1);
    for connection in &mut busy {
        connection.write_all(b"}").unwrap();
        assert!(answer(connection).starts_with("HTTP/1.1 200 "));
    }
}

fn client_from(address: &str) -> Client {
    Client::builder().no_proxy().local_address(Some(address.parse().unwrap())).build().unwrap()
}

#[test]
fn one_address_has_its_share() {
    let serving = Serving::start(&[("MAX_CONNECTIONS_PER_ADDRESS", "3")]);
    let mut held: Vec<_> = (0..3).map(|_| send(serving.app, GET)).collect();
    for connection in &mut held {
        assert!(answer(connection).starts_with("HTTP/1.1 200 "));
    }
    let said = until_closed(&mut send(serving.app, GET));
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("this address"), "{said:?}");
    serving.wait_for_metric(&refused("address"), 1);
    let other = client_from("127.0.0.2").get(serving.url("/health/live")).send();
    assert_eq!(other.unwrap().status(), 200);
    drop(held);
    serving.wait_for_metric("chokepoint_connections{port=\"app\"}", 0);
    assert!(answer(&mut send(serving.app, GET)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn behind_a_proxy_each_client_has_its_share() {
    let settings = [
        ("MAX_CONNECTIONS_PER_ADDRESS", "2"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("BODY_TIMEOUT", "1h"),
    ];
    let serving = Serving::start(&settings);
    let of = |client: &str, path: &str| {
        send(
            serving.app,
            &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {client}\r\n\r\n"),
        )
    };
    let begun = line_but_its_end("x-forwarded-for: 2001:db8::1\r\n");
    let mut busy: Vec<_> = (0..2).map(|_| send(serving.app, &begun)).collect();
    serving.wait_for_metric(PENDING_LINES, 2);
    let said = answer(&mut of("2001:db8::2", "/health/live"));
    assert!(said.starts_with("HTTP/1.1 503 "), "the same network: {said}");
    for other in ["2001:db8:0:100::1", "192.0.2.1"] {
        assert!(answer(&mut of(other, "/health/live")).starts_with("HTTP/1.1 200 "), "{other}");
    }
    for connection in &mut busy {
        connection.write_all(b"}").unwrap();
        assert!(answer(connection).starts_with("HTTP/1.1 200 "));
    }
    assert!(answer(&mut of("2001:db8::2", "/health/live")).starts_with("HTTP/1.1 200 "));
}

/// Opens connections; half of them send half a head.
fn hold(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map(|n| send(address, if n % 2 == 0 { HALF } else { "" })).collect()
}

#[test]
fn connections_beyond_all_descriptors_stop_neither_port() {
    let serving = Serving::start_with_descriptors(256, &[]);
    let _held = (hold(serving.app, 300), hold(serving.ops, 300));
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
    for url in [serving.url("/health"), format!("http://{}/metrics", serving.ops)] {
        assert_eq!(
            client.get(&url).send().map(|answer| answer.status().as_u16()).ok(),
            Some(200),
            "{url}"
        );
    }
}

#[test]
fn five_hundred_users_on_this_machine_are_all_served() {
    let serving = Serving::start(&[]);
    let mut users: Vec<_> = (0..500).map(|_| send(serving.app, GET)).collect();
    for user in &mut users {
        assert!(answer(user).starts_with("HTTP/1.1 200 "));
    }
    serving.wait_for_metric("chokepoint_connections{port=\"app\"}", 500);
    for user in &mut users {
        user.write_all(GET.as_bytes()).unwrap();
        assert!(answer(user).starts_with("HTTP/1.1 200 "));
    }
}
