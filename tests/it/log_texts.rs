//! `log_data` is returned as the text that was sent, whatever else is in the batch. Broken JSON is
//! refused anywhere, even in fields that nobody reads.

use fastrand::Rng;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::{TestApp, problem};

const BATCHES: usize = 40;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    logs: Vec<Stored<'a>>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    message: String,
    #[serde(borrow)]
    log_data: Option<&'a RawValue>,
}

fn post(request: RequestBuilder, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request.header("content-type", "application/json").body(body)
}

async fn taken(app: &TestApp, path: &str, body: String) {
    let answer = post(app.app(Method::POST, path), body.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{body}");
}

/// Message and data of a device's lines, in the order in which they were sent.
async fn stored(app: &TestApp, device: &str) -> Vec<(String, Option<String>)> {
    let text = app.get(&format!("/api/logs/{device}?limit=1000")).await.text().await.unwrap();
    let page: Page<'_> = serde_json::from_str(&text).unwrap();
    let lines = page.logs.into_iter().rev();
    lines.map(|line| (line.message, line.log_data.map(|data| data.get().to_owned()))).collect()
}

fn line(device: &str, message: &str, data: &str) -> String {
    format!(
        r#"{{"device_id":"{device}","log_level":"INFO","message":"{message}","log_data":{data}}}"#
    )
}

/// Random JSON of every kind, in all valid spellings.
struct Texts(Rng);

impl Texts {
    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        self.0.choice(choices).unwrap()
    }

    fn space(&mut self) -> &'static str {
        self.one_of(&["", "", "", "", " ", "  ", "\n", "\t", "\r\n"])
    }

    fn digits(&mut self, most: usize) -> String {
        (0..self.0.usize(1..=most)).map(|_| self.0.digit(10)).collect()
    }

    fn number(&mut self) -> String {
        match self.0.u8(0..5) {
            0 => loop {
                let double = f64::from_bits(self.0.u64(..));
                if double.is_finite() {
                    break format!("{double:e}");
                }
            },
            1 => format!("{:?}", (self.0.f64() - 0.5) * 200.0),
            2 => format!("{}{}{}", self.one_of(&["", "-"]), self.0.u8(1..10), self.digits(60)),
            3 => format!("{}.{}", self.0.u8(0..10), self.digits(40)),
            _ => self.one_of(&["-0", "-0.0", "1E+05", "1.50e-999", "0e0", "1e308", "0.10"]).into(),
        }
    }

    fn text(&mut self) -> String {
        let pieces = [
            "a",
            "Z",
            " ",
            "ü",
            "🚰",
            "\u{2028}",
            "\u{202e}",
            "\u{85}",
            "\u{7f}",
            r"\u00fc",
            r"\u2028",
            r"\ud83d\ude00",
            r"\uD83D\uDE00",
            r"\/",
            "/",
            r"\b\f\n\r\t",
            r#"\""#,
            r"\\",
            r"\\u0000",
            r"\u0001",
            "\u{feff}",
            "'",
            "$1",
            "%00",
        ];
        let pieces = (0..self.0.usize(0..6)).map(|_| self.one_of(&pieces));
        pieces.collect()
    }

    fn value(&mut self, depth: u8) -> String {
        match self.0.u8(0..if depth == 0 { 5 } else { 8 }) {
            0..2 => self.number(),
            2..4 => format!("\"{}\"", self.text()),
            4 => self.one_of(&["true", "false", "null"]).to_owned(),
            5 => {
                let items = (0..self.0.usize(0..4)).map(|_| self.value(depth - 1));
                let items = items.collect::<Vec<_>>().join(",");
                format!("[{}{items}{}]", self.space(), self.space())
            }
            _ => self.object(depth - 1),
        }
    }

    fn object(&mut self, depth: u8) -> String {
        let mut members = Vec::new();
        for _ in 0..self.0.usize(0..5) {
            // Few names, so that many are duplicates.
            let name = self.one_of(&["a", "b", r"\u0061", "ü", "x\u{2028}"]);
            let (before, after) = (self.space(), self.space());
            members.push(format!("{before}\"{name}\"{after}:{before}{}", self.value(depth)));
        }
        format!("{{{}{}}}", members.join(","), self.space())
    }
}

#[test]
fn data_comes_back_byte_for_byte_whatever_its_neighbours_are() {
    let app = TestApp::start();
    let seed = fastrand::u64(..);
    let mut texts = Texts(Rng::with_seed(seed));
    app.run(async {
        for batch in 0..BATCHES {
            let (device, mut sent, mut lines) = (format!("d{batch}"), Vec::new(), Vec::new());
            for _ in 0..texts.0.usize(1..30) {
                let (message, data) = (texts.text(), texts.object(3));
                // The prefix makes sure that it is not empty.
                let message = format!("m{message}");
                lines.push(line(&device, &message, &data));
                let message: String = serde_json::from_str(&format!("\"{message}\"")).unwrap();
                sent.push((message, Some(data)));
            }
            let space = texts.space();
            let array = format!("[{}]", lines.join(&format!("{space},{space}")));
            match batch % 3 {
                0 => taken(&app, "/api/logs/batch", array).await,
                1 => taken(&app, "/api/logs/batch", format!("{{\"logs\":{array}}}")).await,
                _ => {
                    for line in lines {
                        taken(&app, "/api/log", line).await;
                    }
                }
            }
            assert_eq!(stored(&app, &device).await, sent, "seed {seed}, batch {batch}");
        }
    });
}

#[test]
fn a_line_does_not_depend_on_its_neighbour() {
    let app = TestApp::start();
    app.run(async {
        let data = r#"{ "t": -63.636886728117716, "id": 12345678901234567890123 }"#;
        for (device, neighbour) in [("plain", "{}"), ("escapes", r#"{"a":"\u00fc"}"#)] {
            let lines = [line(device, "m", data), line(device, "m", neighbour)].join(",");
            taken(&app, "/api/logs/batch", format!("[{lines}]")).await;
            assert_eq!(stored(&app, device).await[0].1.as_deref(), Some(data), "{device}");
        }
    });
}

/// Values and names that every JSON parser must refuse.
fn broken() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 9] = [
        // Not UTF-8: an invalid byte, a lone one, an overlong form, half a pair, too large.
        b"\"\xff\"",
        b"\"\x80\"",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        br#""\ud800""#,
        br#""\udc00\ud800""#,
        b"1e999",
        b"-1E+0400",
    ];
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    texts.iter().map(|text| text.to_vec()).chain([deep.into_bytes(), vec![b'9'; 400]]).collect()
}

#[test]
fn broken_json_is_refused_also_where_nobody_reads_it() {
    let app = TestApp::start();
    app.run(async {
        let session = app.sign_up("sender").await;
        let line = line("d", "m", "{}");
        let account = r#"{"username":"u","email":"u@example.com","password":"long enough""#;
        let post_of_blog = r#"{"title":"t","content":"c""#;
        let bodies = [
            ("/api/log", line[..line.len() - 1].to_owned(), "}"),
            ("/api/logs/batch", format!("[{}", &line[..line.len() - 1]), "}]"),
            ("/api/logs/batch", format!("{{\"logs\":[{line}]"), "}"),
            ("/api/v2/auth/register", account.to_owned(), "}"),
            ("/api/v1/auth/login", account.to_owned(), "}"),
            ("/api/v2/auth/refresh", r#"{"refresh_token":"r""#.to_owned(), "}"),
            ("/api/v2/todos", r#"{"title":"t""#.to_owned(), "}"),
            ("/api/posts", post_of_blog.to_owned(), "}"),
        ];
        for (path, start, end) in &bodies {
            for value in broken() {
                let named = value.starts_with(b"\"").then(|| [&value[..], b":0"].concat());
                let valued = [b"\"ignored\":\n", &value[..]].concat();
                for member in [Some(valued), named].into_iter().flatten() {
                    let body = [start.as_bytes(), b",", &member[..], end.as_bytes()].concat();
                    let sent = String::from_utf8_lossy(&body).into_owned();
                    let request = app.as_user(&session, Method::POST, path);
                    let answer = post(request, body).send().await.unwrap();
                    assert_eq!(answer.status(), 400, "{path} {sent}");
                    let detail = problem(answer).await["detail"].to_string();
                    let line = if member.starts_with(b"\"ignored") { "line 2" } else { "line 1" };
                    assert!(detail.contains(line), "{path} {sent}: {detail}");
                }
            }
        }
        assert_eq!(stored(&app, "d").await, []);
    });
}
