//! A client that is still sending receives the answer that refuses its request.

use std::{
    convert::Infallible,
    io::{Read, Write},
    net::TcpStream,
};

use axum::body::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{Body, Method};

use crate::support::TestApp;

/// Above every limit, and larger than the buffers of a connection.
const LARGE: usize = 3 * 1024 * 1024;

#[test]
fn whoever_is_refused_while_sending_gets_the_answer() {
    let app = TestApp::start();
    app.run(async {
        for (method, path, content_type, status) in [
            (Method::POST, "/api/log", "application/json", 413),
            (Method::POST, "/api/v1/auth/login", "application/json", 413),
            (Method::POST, "/api/v2/auth/login", "application/json", 413),
            (Method::POST, "/api/log", "text/plain", 415),
            (Method::POST, "/api/v2/todos", "application/json", 401),
            (Method::POST, "/nowhere", "application/json", 404),
            (Method::DELETE, "/api/log", "application/json", 405),
        ] {
            for repetition in 0..10 {
                let request = app.app(method.clone(), path).header("content-type", content_type);
                // With a length and, every other time, without one.
                let large = vec![b' '; LARGE];
                let request = match repetition % 2 {
                    0 => request.body(large),
                    _ => request.body(in_chunks(large)),
                };
                let answer = request.send().await.map(|answer| answer.status().as_u16());
                assert_eq!(answer.ok(), Some(status), "{method} {path} {content_type}");
            }
        }
    });
}

#[test]
fn who_goes_on_sending_for_ever_is_cut_off() {
    let app = TestApp::start();
    let mut connection = connect(&app);
    write!(connection, "POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
        .unwrap();
    let mebibyte = vec![b' '; 1024 * 1024];
    let taken = (0..1_000).take_while(|_| connection.write_all(&mebibyte).is_ok()).count();
    assert!((8..100).contains(&taken), "{taken} MiB");
}

#[test]
fn who_asks_before_sending_is_answered_at_once() {
    let app = TestApp::start();
    let mut connection = connect(&app);
    write!(
        connection,
        "POST /api/log HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {LARGE}\r\nexpect: 100-continue\r\n\r\n",
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[test]
fn a_client_that_got_100_continue_is_answered_too() {
    let app = TestApp::start();
    for _ in 0..10 {
        let mut connection = connect(&app);
        write!(
            connection,
            "POST /api/log HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n",
        )
        .unwrap();
        let mut interim = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        connection.read_exact(&mut interim).unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100 "));
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        for _ in 0..LARGE / 0x10000 {
            connection.write_all(&chunk).unwrap();
        }
        connection.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

/// Body of unknown length.
fn in_chunks(bytes: Vec<u8>) -> Body {
    let mut rest = Bytes::from(bytes);
    let chunks = std::iter::from_fn(move || {
        let chunk = rest.split_to(rest.len().min(64 * 1024));
        (!chunk.is_empty()).then(|| Ok::<_, Infallible>(Frame::data(chunk)))
    });
    Body::wrap(StreamBody::new(futures_util::stream::iter(chunks)))
}

fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url().trim_start_matches("http://")).unwrap()
}
