//! RFC 9112: an HTTP/1.1 request has exactly one Host, or gets 400.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{
    program::Serving,
    raw::{answer, send, until_closed},
};

/// Answer to a request with these lines instead of a Host.
fn answer_to(address: SocketAddr, version: &str, lines: &str) -> String {
    answer(&mut send(address, &format!("GET /health HTTP/{version}\r\n{lines}\r\n")))
}

#[test]
fn no_host_two_or_an_invalid_one_is_400() {
    // These names are valid for ops too.
    let serving = Serving::start(&[("OPS_HOSTS", "a,a.b")]);
    for address in [serving.app, serving.ops] {
        for lines in [
            "",
            "host: a\r\nhost: a\r\n",
            "host:\r\n",
            "host: a b\r\n",
            "host: a/b\r\n",
            "host: user@a\r\n",
            "host: a:port\r\n",
            "host: a:99999\r\n",
            "host: [::1\r\n",
            "host: [a]\r\n",
            "host: a\u{e9}\r\n",
        ] {
            let answer = answer_to(address, "1.1", lines);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{lines:?}: {answer}");
            assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let problem: Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], 400);
            let id = format!("x-request-id: {}\r\n", problem["request_id"].as_str().unwrap());
            assert!(answer.contains(&id), "{answer}");
        }
        for lines in ["host: a", "host: a:80", "host: 127.0.0.1:1", "host: [::1]:1", "HOST: a.b"] {
            let answer = answer_to(address, "1.1", &format!("{lines}\r\n"));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{lines:?}: {answer}");
        }
        // HTTP/1.0 needs no Host header, but if there is one it must be valid.
        assert!(answer_to(address, "1.0", "").starts_with("HTTP/1.0 200 "));
        assert!(answer_to(address, "1.0", "host: a b\r\n").starts_with("HTTP/1.0 400 "));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let status = runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(serving.app).await.unwrap();
        let (mut requests, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("http://a:80/health").body(()).unwrap();
        requests.send_request(request, true).unwrap().0.await.unwrap().status()
    });
    assert_eq!(status, 200, "HTTP/2 says it in a header of its own");
}

/// hyper answers these itself, because there is no request yet.
#[test]
fn heads_that_are_none_are_refused_and_counted() {
    let serving = Serving::start(&[]);
    let refused = |head: &str| until_closed(&mut send(serving.app, head));
    for head in ["GET /\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        assert!(refused(head).starts_with("HTTP/1.1 400 "), "{head:?}");
    }
    let headers = "x: y\r\n".repeat(200);
    let answer = refused(&format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let answer = refused(&format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000)));
    assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
    let counted = |reason: &str| {
        format!("chokepoint_malformed_heads_total{{port=\"app\",reason=\"{reason}\"}}")
    };
    serving.wait_for_metric(&counted("malformed"), 3);
    serving.wait_for_metric(&counted("too_large"), 2);
}
