//! Limits of the number of connections: of a port, of an address, and of the process.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use reqwest::blocking::Client;

use super::{HALF, closed};
use crate::{
    program::Serving,
    raw::{GET, answer, connect, is_open, send, until_closed},
};

const PENDING_LINES: &str = "axum_http_requests_pending{method=\"POST\",route=\"/api/log\"}";

fn refused(reason: &str) -> String {
    format!("chokepoint_connections_refused_total{{port=\"app\",reason=\"{reason}\"}}")
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
    let refusal = until_closed(&mut send(serving.app, GET));
    assert!(
        refusal.starts_with("HTTP/1.1 503 ") && refusal.contains("retry-after: 1"),
        "{refusal:?}"
    );
    assert!(refusal.contains("application/problem+json"), "{refusal:?}");
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
    let refusal = until_closed(&mut send(serving.app, GET));
    assert!(
        refusal.starts_with("HTTP/1.1 503 ") && refusal.contains("this address"),
        "{refusal:?}"
    );
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
    let refusal = answer(&mut of("2001:db8::2", "/health/live"));
    assert!(refusal.starts_with("HTTP/1.1 503 "), "the same network: {refusal}");
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
