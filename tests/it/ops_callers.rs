//! Ops refuses requests under an unknown name, or from a page of another origin.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::program::Serving;

/// Sends this head unchanged, and returns the status and the body of the answer.
fn ask(server: &Serving, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.ops).unwrap();
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("{head:?} got {answer:?}")), body.to_owned())
}

/// Number of refusals for this reason.
fn refused(server: &Serving, reason: &str) -> u64 {
    let (_, metrics) = ask(server, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    let series = format!("chokepoint_ops_refused_total{{reason=\"{reason}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
    value.map_or(0, |value| value.parse().unwrap())
}

#[test]
fn ops_answers_under_its_own_names_alone() {
    let server = Serving::start(&[("OPS_HOSTS", "Ops.Example,app_1")]);
    let get = |more: &str| ask(&server, &format!("GET /metrics HTTP/1.1\r\n{more}"));
    for host in [
        "localhost",
        "LocalHost:9",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:8001",
        "127.9.9.9",
        "[::1]",
        "[::1]:8001",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "ops.example",
        "OPS.example.:80",
        "app_1:8001",
    ] {
        assert_eq!(get(&format!("Host: {host}\r\n")).0, 200, "{host}");
    }
    let foreign = [
        "evil.test",
        "evil.test:8001",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "ops.example.evil",
        "xops.example",
        "10.0.0.1",
        "[::2]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "127.1",
        "localhost..",
    ];
    for host in foreign {
        let (status, body) = get(&format!("Host: {host}\r\n"));
        assert_eq!(status, 403, "{host}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert!(problem["detail"].as_str().unwrap().contains("OPS_HOSTS"), "{body}");
    }
    let malformed = [
        "",
        "Host: \r\n",
        "Host: a b\r\n",
        "Host: localhost/x\r\n",
        "Host: me@localhost\r\n",
        "Host: localhost\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: evil.test\r\n",
    ];
    for hosts in malformed {
        assert_eq!(get(hosts).0, 400, "{hosts:?}");
    }
    // A target that names a host replaces the header.
    for (target, host, status) in [
        ("localhost", "localhost", 200),
        ("evil.test", "evil.test", 403),
        ("evil.test", "localhost", 400),
        ("localhost", "evil.test", 400),
    ] {
        let head = format!("GET http://{target}/metrics HTTP/1.1\r\nHost: {host}\r\n");
        assert_eq!(ask(&server, &head).0, status, "{head:?}");
    }
    // No browser uses HTTP/1.0, but old health checks do.
    assert_eq!(ask(&server, "GET /health HTTP/1.0\r\n").0, 200);
    assert_eq!(ask(&server, "GET /health HTTP/1.0\r\nHost: evil.test\r\n").0, 403);
    // All paths, known or unknown.
    for path in ["/", "/style.css", "/labs", "/debug/traces", "/debug/pprof/captures", "/nothing"] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: evil.test\r\n");
        assert_eq!(ask(&server, &head).0, 403, "{path}");
    }
    assert!(refused(&server, "host") >= (foreign.len() + 8) as u64);
    server.signal(nix::sys::signal::Signal::SIGTERM);
    let (_, log) = server.end();
    let line =
        log.iter().find(|line| line["fields"]["reason"] == "host").expect("no refusal is logged");
    assert_eq!(line["level"], "WARN");
    assert!(line["fields"]["host"].as_str().unwrap().contains("evil.test"), "{line}");
}

/// Requests that change something or are expensive, with a status that shows that nothing was done.
const GUARDED: [(&str, &str, u16); 9] = [
    ("POST", "/labs/n-plus-one/reset", 204),
    ("PUT", "/log-filter", 415),
    ("PUT", "/debug/pprof/heap?active=maybe", 422),
    ("DELETE", "/labs", 405),
    ("GET", "/debug/pprof/profile?seconds=0", 422),
    ("HEAD", "/debug/pprof/profile?seconds=0", 422),
    ("GET", "/debug/pprof/flamegraph?mode=wall&seconds=0", 422),
    ("GET", "/debug/pprof/heap?seconds=-1", 422),
    ("GET", "/debug/pprof/diff?a=1&b=2", 404),
];

#[test]
fn what_changes_or_costs_something_is_not_done_for_pages_of_other_origins() {
    let server = Serving::start(&[]);
    let here = server.ops;
    let head = |method: &str, path: &str, more: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: {here}\r\nContent-Length: 0\r\n{more}")
    };
    let own = [
        String::new(),
        format!("Origin: http://{here}\r\n"),
        format!("Origin: http://{here}\r\nSec-Fetch-Site: same-origin\r\n"),
        "Sec-Fetch-Site: same-origin\r\n".to_owned(),
        "Sec-Fetch-Site: none\r\n".to_owned(),
        // A form of a page without a referrer, like ours.
        "Origin: null\r\nSec-Fetch-Site: same-origin\r\n".to_owned(),
        format!("Referer: http://{here}/labs\r\n"),
    ];
    let port = here.port();
    let foreign = [
        "Origin: http://evil.test\r\n".to_owned(),
        format!("Origin: http://evil.test:{port}\r\n"),
        format!("Origin: http://localhost:{port}\r\n"),
        "Origin: http://127.0.0.1:1\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        "Origin: \r\n".to_owned(),
        format!("Origin: http://{here}.evil.test\r\n"),
        format!("Origin: http://{here}\r\nOrigin: http://evil.test\r\n"),
        format!("Origin: http://{here}\r\nSec-Fetch-Site: cross-site\r\n"),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
        "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: none\r\nOrigin: http://evil.test\r\n".to_owned(),
        "Referer: http://evil.test/page\r\n".to_owned(),
    ];
    for (method, path, status) in GUARDED {
        for from in &own {
            assert_eq!(
                ask(&server, &head(method, path, from)).0,
                status,
                "{method} {path} {from:?}"
            );
        }
        for from in &foreign {
            assert_eq!(ask(&server, &head(method, path, from)).0, 403, "{method} {path} {from:?}");
        }
    }
    assert_eq!(refused(&server, "origin"), (GUARDED.len() * foreign.len()) as u64);
    // A link from a dashboard to a cheap page works.
    for path in ["/", "/metrics", "/debug/traces", "/debug/pprof/captures", "/labs/n-plus-one"] {
        assert_eq!(ask(&server, &head("GET", path, &foreign[9])).0, 200, "{path}");
    }
}

#[test]
fn every_address_of_loopback_needs_no_token_and_is_a_name() {
    for address in ["127.0.0.2:0", "[::1]:0"] {
        let server = Serving::start(&[("OPS_LISTEN", address), ("RUST_LOG", "info")]);
        let head = format!("GET /health HTTP/1.1\r\nHost: {}\r\n", server.ops);
        assert_eq!(ask(&server, &head).0, 200, "{address}");
    }
}
