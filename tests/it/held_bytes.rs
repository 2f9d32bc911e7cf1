//! Unread answers and waiting bodies take bounded memory, which is freed afterwards.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use h2::{RecvStream, client::SendRequest};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, runtime::Runtime};

use crate::program::Serving;

const MIB: u64 = 1024 * 1024;

/// Allowed growth by answers: the limit, reads of 20 database connections, and room for the
/// allocator. Without limits one connection made it 1,400 MiB.
const GROWTH_BY_ANSWERS: u64 = 200 * MIB;

/// Bodies of 1 MiB that come at once: four times those that may wait. The server reads what it refuses
/// for five seconds, in which a busy machine must be able to send it all.
const BODIES: usize = 250;

/// Allowed growth by bodies: the limit, and the read buffers of their connections, up to 400 KiB
/// each. Without limits 600 bodies made it 850 MiB.
const GROWTH_BY_BODIES: u64 = 250 * MIB;

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Starts a server with a thousand lines of 26 KiB.
async fn full_of_lines(client: &Client) -> Serving {
    let serving = Serving::start(&[]);
    let line = json!({
        "device_id": "d", "log_level": "INFO", "message": "m".repeat(9_900),
        "log_data": {"x": "x".repeat(16_000)},
    });
    let lines = json!(vec![line; 38]);
    for _ in 0..27 {
        let batch = client.post(serving.url("/api/logs/batch")).json(&lines).send().await;
        assert_eq!(batch.unwrap().status(), 200);
    }
    serving
}

/// Buffered bytes, by the server's own metric.
async fn held(client: &Client, serving: &Serving, of: &str) -> u64 {
    let metrics = client.get(format!("http://{}/metrics", serving.ops)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let series = format!("chokepoint_held_bytes{{of=\"{of}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
}

async fn until_given_back(client: &Client, serving: &Serving, of: &str) {
    while held(client, serving, of).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Answers on one HTTP/2 connection whose bodies nobody reads.
struct Unread {
    _connection: SendRequest<Bytes>,
    answers: Vec<(StatusCode, RecvStream)>,
}

impl Unread {
    async fn ask(serving: &Serving, count: usize, window: u32) -> Self {
        let tcp = TcpStream::connect(serving.app).await.unwrap();
        let handshake = h2::client::Builder::new().initial_window_size(window).handshake(tcp);
        let (mut connection, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let mut responses = Vec::new();
        for _ in 0..count {
            connection = connection.ready().await.unwrap();
            let request = axum::http::Request::get(serving.url("/api/logs/d?limit=1000"));
            responses.push(connection.send_request(request.body(()).unwrap(), true).unwrap().0);
        }
        let answers = join_all(responses).await.into_iter().map(|answer| {
            let (head, body) = answer.unwrap().into_parts();
            if head.status == StatusCode::SERVICE_UNAVAILABLE {
                assert!(head.headers.contains_key("retry-after"));
            }
            (head.status, body)
        });
        Self { answers: answers.collect(), _connection: connection }
    }

    fn count(&self, status: u16) -> usize {
        self.answers.iter().filter(|(answered, _)| *answered == status).count()
    }
}

/// Leaves `count` large answers unread on each connection. A window of one byte makes the server
/// pass the whole body on to the connection.
fn answers_left_unread(connections: usize, count: usize, window: u32) {
    Runtime::new().unwrap().block_on(async {
        let client = client();
        let serving = full_of_lines(&client).await;
        let before = serving.memory("VmRSS");
        let mut unread = Vec::new();
        for _ in 0..connections {
            unread.push(Unread::ask(&serving, count, window).await);
        }
        let grown = serving.memory("VmHWM").saturating_sub(before);
        assert!(grown < GROWTH_BY_ANSWERS, "grown by {} MiB", grown / MIB);
        for of_connection in &unread {
            let (given, refused) = (of_connection.count(200), of_connection.count(503));
            assert_eq!(given + refused, count);
            assert!(refused > 0, "{given} of {count} are held");
        }
        // Another client gets a large answer during this.
        let page = client.get(serving.url("/api/logs/d?limit=20")).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert_eq!(page.json::<Value>().await.unwrap()["logs"].as_array().unwrap().len(), 20);
        assert!(held(&client, &serving, "answers").await > MIB);
        drop(unread);
        until_given_back(&client, &serving, "answers").await;
    });
}

#[test]
fn one_connection_that_reads_nothing_holds_little_and_stops_nobody() {
    answers_left_unread(1, 60, 0);
}

#[test]
fn eight_connections_that_read_nothing_hold_little_and_stop_nobody() {
    answers_left_unread(8, 14, 1);
}

#[test]
fn bodies_that_wait_for_a_thread_are_bounded_and_the_others_get_503() {
    let settings = [
        ("DISTANCE_DB", "300ms"),
        ("V1_THREADS", "8"),
        ("BCRYPT_COST", "4"),
        ("INSECURE", "true"),
        ("RATE_LIMIT_API", "off"),
    ];
    let serving = Serving::start(&settings);
    Runtime::new().unwrap().block_on(async {
        let client = client();
        let ada =
            json!({"username": "ada", "email": "ada@example.com", "password": "correct horse"});
        let session = client.post(serving.url("/api/v2/auth/register")).json(&ada).send().await;
        let session: Value = session.unwrap().json().await.unwrap();
        let token = session["access_token"].as_str().unwrap();
        let mut body = br#"{"title":"waits"}"#.to_vec();
        body.resize(1024 * 1024, b' ');
        let body = Bytes::from(body);

        let before = serving.memory("VmRSS");
        let answers = join_all((0..BODIES).map(|_| {
            let request = client.post(serving.url("/api/v1/todos")).bearer_auth(token);
            request.header("content-type", "application/json").body(body.clone()).send()
        }));
        let (mut done, mut refused) = (0, 0);
        for answer in answers.await {
            let answer = answer.unwrap();
            match answer.status().as_u16() {
                201 => done += 1,
                503 => {
                    assert!(answer.headers().contains_key("retry-after"));
                    refused += 1;
                }
                other => panic!("{other}"),
            }
        }
        let grown = serving.memory("VmHWM").saturating_sub(before);
        assert!(grown < GROWTH_BY_BODIES, "grown by {} MiB", grown / MIB);
        assert_eq!(done + refused, BODIES);
        assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
        until_given_back(&client, &serving, "bodies").await;
        let again = client.post(serving.url("/api/v1/todos")).bearer_auth(token);
        let again = again.header("content-type", "application/json").body(body.clone()).send();
        assert_eq!(again.await.unwrap().status(), 201);
    });
}
