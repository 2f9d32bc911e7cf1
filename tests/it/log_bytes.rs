//! Request bytes can't move the cursor, forge a line or hide text in the program's log.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::program::Serving;

/// Terminal controls, forbidden characters, and text that displays differently from its bytes.
fn hostile() -> Vec<Vec<u8>> {
    let texts = [
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{9b}2J\u{9d}0;title\u{9c}",
        "a\r\nforged: line",
        "a\nforged line",
        "a\rforged",
        "\0",
        "\u{7f}\u{8}\t\u{c}",
        "\u{85}\u{2028}\u{2029}",
        "\u{202e}gnp.exe",
        "\u{2066}x\u{2069}\u{61c}\u{200f}",
        "\u{200b}\u{feff}\u{ad}\u{2060}\u{180e}",
        "e\u{301}\u{fe0f}",
        "\u{3164}\u{115f}\u{a0}\u{3000}",
        "\u{e0041}\u{fff9}",
        "%1b%5b2J%0d%0aforged%c2%9b%e2%80%ae%00",
        r"\u001b[2J\u202e\u0000\u009b",
        "\"},{\"forged\":\"\\",
    ];
    // A lone 8-bit control, overlong line feed and ESC, half a pair, bytes that UTF-8 never has.
    let bytes: [&[u8]; 6] = [
        b"\x9b2J",
        b"\xc0\x8a",
        b"\xe0\x80\x9b[2J",
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"\xf4\x90\x80\x80",
    ];
    let texts = texts.map(|text| text.as_bytes().to_vec());
    texts.into_iter().chain(bytes.map(<[u8]>::to_vec)).collect()
}

/// Inserts the piece at each `@`.
fn with(template: &str, piece: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = template.split('@').map(str::as_bytes).collect();
    parts.join(piece)
}

fn request(start: &[u8], headers: &[u8], body: &[u8]) -> Vec<u8> {
    let length = format!("connection: close\r\ncontent-length: {}\r\n", body.len());
    [start, b" HTTP/1.1\r\n", headers, length.as_bytes(), b"\r\n", body].concat()
}

/// Requests with this piece in each part.
fn requests(piece: &[u8]) -> Vec<Vec<u8>> {
    let host = b"host: localhost\r\ncontent-type: application/json\r\n";
    let mut requests = Vec::new();
    for start in ["GET /@", "GET /api/logs/@?limit=@", "GET /health/live?@", "@ /health/live", "@"]
    {
        requests.push(request(&with(start, piece), host, b""));
    }
    let names =
        ["host", "user-agent", "x-request-id", "traceparent", "tracestate", "authorization"];
    for name in names.iter().chain(&["authorization: Bearer", "x-forwarded-for", "cookie"]) {
        let header = with(&format!("{name}: @\r\n").replacen(": Bearer:", ": Bearer", 1), piece);
        let host = if *name == "host" { &b""[..] } else { host };
        requests.push(request(b"GET /api/v2/todos", &[host, &header].concat(), b""));
    }
    let escaped = std::str::from_utf8(piece).map(|text| serde_json::to_string(text).unwrap());
    let escaped = escaped.map(|text| text.as_bytes()[1..text.len() - 1].to_vec());
    for piece in [Some(piece.to_vec()), escaped.ok()].iter().flatten() {
        for (path, body) in [
            ("/api/v2/auth/register", r#"{"username":"@","email":"@@x.org","password":"@"}"#),
            ("/api/v1/auth/login", r#"{"email":"@","password":"@","@":0}"#),
            (
                "/api/log",
                r#"{"device_id":"d","log_level":"INFO","message":"@","log_data":{"@":"@"}}"#,
            ),
            ("/api/logs/batch", r#"[{"device_id":"@","log_level":"@","@":1}]"#),
            ("/api/log", "@"),
        ] {
            requests.push(request(format!("POST {path}").as_bytes(), host, &with(body, piece)));
        }
    }
    requests
}

fn answer(addr: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A request that is refused half way may end with a reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Checks by Unicode ranges, independent of the program's own function.
fn is_harmless(char: char) -> bool {
    let hides =
        ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}', '\u{3164}', '\u{115f}', '\u{a0}', '\u{3000}'];
    let ranges = [
        '\u{300}'..='\u{36f}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    !char.is_control()
        && !hides.contains(&char)
        && !ranges.iter().any(|range| range.contains(&char))
}

/// The log of hostile requests, and the number of those that got a request id.
fn log_of_hostile_requests(format: &str) -> (String, usize) {
    let serving = Serving::start(&[("LOG_FORMAT", format), ("RUST_LOG", "debug")]);
    let mut with_id = 0;
    for piece in hostile() {
        for request in requests(&piece) {
            with_id += usize::from(answer(serving.app, &request).contains("x-request-id: "));
        }
    }
    serving.signal(Signal::SIGTERM);
    let [output, error] = serving.output();
    assert_eq!(String::from_utf8(error).unwrap(), "");
    (String::from_utf8(output).unwrap(), with_id)
}

#[test]
fn no_byte_of_a_client_acts_on_who_reads_the_log() {
    for format in ["pretty", "json"] {
        let (output, with_id) = log_of_hostile_requests(format);
        let mut access_lines = 0;
        for line in output.lines() {
            assert!(line.chars().all(is_harmless), "{format}: {line:?}");
            assert!(!line.starts_with("forged"), "{format}: {line}");
            if format == "json" {
                let line: Value = serde_json::from_str(line).unwrap();
                access_lines += usize::from(line["target"] == "access");
            } else {
                access_lines += usize::from(line.contains(" polls="));
                assert!(line.starts_with("20"), "a line begins with its moment: {line}");
            }
        }
        assert_eq!(access_lines, with_id, "{format}");
        assert!(with_id > 100, "{format}: {with_id}");
    }
}
