//! Floods of log-ins: few wait to hash, the others are told to retry, and no other request waits
//! with them. Also attempts to bypass the limits that stop such a flood.

use std::{net::IpAddr, thread::available_parallelism, time::Duration};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinSet, time::timeout};

use crate::{
    auth::{log_out, post, refresh},
    program::Serving,
    support::{PASSWORD, Session, TestApp, header, problem},
};

/// Time limit for answers that come at once, if they come.
const LONG: Duration = Duration::from_secs(60);

/// Places per core at cost 12: eight that wait, and the one that it hashes.
const PLACES_PER_CORE: usize = 8 + 1;

async fn metric(client: &Client, serving: &Serving, name: &str) -> usize {
    let metrics = client.get(format!("http://{}/metrics", serving.ops)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let values = metrics.lines().filter(|line| line.starts_with(name));
    values.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

/// Sends a log-in or a registration, each for another account.
async fn send(client: Client, serving: String, n: usize) -> Response {
    let email = format!("nobody{n}@example.com");
    let (path, body) = if n.is_multiple_of(2) {
        ("login", json!({ "email": email, "password": PASSWORD }))
    } else {
        let name = format!("nobody{n}");
        ("register", json!({ "username": name, "email": email, "password": PASSWORD }))
    };
    client.post(format!("{serving}/auth/{path}")).json(&body).send().await.unwrap()
}

/// Tests that few wait. At cost 12 hashes take so long, above all in a debug build, that the flood
/// lasts while it is observed.
fn few_wait(version: &str) {
    let cores = available_parallelism().unwrap().get();
    let places = cores * PLACES_PER_CORE;
    let serving = Serving::start(&[
        ("BCRYPT_COST", "12"),
        ("V1_THREADS", "1"),
        ("RATE_LIMIT_LOGIN", "off"),
        ("RATE_LIMIT_LOGIN_ADDRESS", "off"),
        ("RATE_LIMIT_REGISTER", "off"),
    ]);
    let client = Client::builder().no_proxy().build().unwrap();
    Runtime::new().unwrap().block_on(async {
        let mut flood = JoinSet::new();
        for n in 0..places + 100 {
            flood.spawn(send(client.clone(), serving.url(&format!("/api/{version}")), n));
        }
        let mut shed = 0;
        // Waits until all unanswered requests have a place.
        let stands = async {
            loop {
                while let Some(answer) = flood.try_join_next() {
                    let answer = answer.unwrap();
                    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                        assert_eq!(header(&answer, "retry-after"), "1");
                        problem(answer).await;
                        shed += 1;
                    }
                }
                let taken = metric(&client, &serving, "chokepoint_password_requests ").await;
                assert!(taken <= places, "{taken} of {places} places");
                let hashing = metric(&client, &serving, "chokepoint_passwords_hashing ").await;
                assert!(hashing <= cores, "{hashing} at once on {cores} cores");
                if taken > 0 && flood.len() == taken {
                    break;
                }
            }
        };
        timeout(LONG, stands).await.expect("the flood waits without an end");
        let hashed = metric(&client, &serving, "chokepoint_password_hashes_total").await;
        assert!(shed + hashed >= 100, "{shed} shed, {hashed} hashed");
        let counted = metric(&client, &serving, "chokepoint_password_requests_shed_total").await;
        assert_eq!(counted, shed);
        let others = timeout(LONG, client.get(serving.url("/api/v1/todos")).send()).await;
        assert_eq!(others.expect("it waits with the flood").unwrap().status(), 401);
        let taken = metric(&client, &serving, "chokepoint_password_requests ").await;
        assert!(taken > 0, "the flood is over: nothing was seen of who waits beside it");
    });
}

#[test]
fn of_a_flood_at_v1_few_wait_and_nobody_waits_with_them() {
    few_wait("v1");
}

#[test]
fn of_a_flood_at_v2_few_wait_and_nobody_waits_with_them() {
    few_wait("v2");
}

/// Sends a failing log-in from another address, or through a proxy that reports one.
async fn guess(app: &TestApp, client: &Client, n: usize, forwarded: &str) -> Response {
    let version = if n.is_multiple_of(2) { "v1" } else { "v2" };
    let body = json!({ "email": format!("nobody{n}@example.com"), "password": PASSWORD });
    let request = client.post(format!("{}/api/{version}/auth/login", app.url())).json(&body);
    request.header("x-forwarded-for", forwarded).send().await.unwrap()
}

fn from(address: [u8; 4]) -> Client {
    Client::builder().no_proxy().local_address(IpAddr::from(address)).build().unwrap()
}

#[test]
fn another_account_each_time_is_the_same_caller() {
    let app = TestApp::start_with(&["--rate-limit-login=3/h", "--rate-limit-login-address=4/h"]);
    app.run(async {
        let (flooding, other) = (from([127, 0, 0, 1]), from([127, 0, 0, 2]));
        // The headers show the limit that has less left.
        for (n, limit, left) in [(0, "3", "2"), (1, "3", "2"), (2, "4", "1"), (3, "4", "0")] {
            let answer = guess(&app, &flooding, n, "").await;
            assert_eq!(answer.status(), 401);
            let headers =
                ["ratelimit-limit", "ratelimit-remaining"].map(|name| header(&answer, name));
            assert_eq!(headers, [limit, left], "{n}");
        }
        for n in [4, 5, 0] {
            let refused = guess(&app, &flooding, n, "").await;
            assert_eq!(refused.status(), 429);
            assert_eq!(header(&refused, "ratelimit-limit"), "4");
            assert_ne!(header(&refused, "retry-after"), "");
            problem(refused).await;
        }
        assert_eq!(guess(&app, &other, 0, "").await.status(), 401);
    });
}

#[test]
fn another_form_of_an_address_is_the_same_caller_and_so_is_its_network() {
    let limit = "--rate-limit-login-address=3/h";
    let app = TestApp::start_with(&[limit, "--trusted-proxies=::ffff:127.0.0.1"]);
    app.run(async {
        let mut n = 0;
        let mut status = async |forwarded: &str| {
            n += 1;
            guess(&app, &app.http, n, forwarded).await.status().as_u16()
        };
        for from in ["192.0.2.1", "198.51.100.1, 192.0.2.1:4711", "::ffff:192.0.2.1"] {
            assert_eq!(status(from).await, 401, "{from}");
        }
        for from in ["[::ffff:c000:201]:1", "é,192.0.2.1", "64:ff9b::192.0.2.1", "192.0.2.1 , "] {
            assert_eq!(status(from).await, 429, "{from}");
        }
        for from in ["2001:db8::1", "[2001:db8::2]:443", "2001:DB8:0:1::1"] {
            assert_eq!(status(from).await, 401, "{from}");
        }
        assert_eq!(status("2001:db8:0:ff:a:b:c:d").await, 429);
        for from in ["2001:db8:0:100::1", "192.0.2.2"] {
            assert_eq!(status(from).await, 401, "{from}");
        }
    });
}

/// Rest of the quota after a request with this token.
async fn left(app: &TestApp, version: &str, session: &Session) -> String {
    let path = format!("/api/{version}/todos");
    let answer = app.as_user(session, Method::GET, &path).send().await.unwrap();
    match answer.status().as_u16() {
        200 => header(&answer, "ratelimit-remaining").to_owned(),
        status => status.to_string(),
    }
}

#[test]
fn a_new_token_is_the_same_caller() {
    let app = TestApp::start_with(&["--rate-limit-api=5/h"]);
    app.run(async {
        let first = app.sign_up("ada").await;
        let other = app.sign_up("grace").await;
        assert_eq!(left(&app, "v1", &first).await, "4");
        let refreshed = refresh(&app, &first).await;
        assert_eq!(header(&refreshed, "ratelimit-remaining"), "3");
        let second: Session = refreshed.json().await.unwrap();
        assert_eq!(left(&app, "v2", &second).await, "2");
        let body = json!({ "email": first.email, "password": PASSWORD });
        let third: Session = post(&app, "/api/v2/auth/login", &body).await.json().await.unwrap();
        assert_eq!(left(&app, "v2", &third).await, "1");
        assert_eq!(left(&app, "v1", &first).await, "0");
        for session in [&first, &second, &third] {
            assert_eq!(left(&app, "v2", session).await, "429");
        }
        assert_eq!(refresh(&app, &second).await.status(), 429);
        assert_eq!(log_out(&app, "v1", &third).await.status(), 429);
        assert_eq!(left(&app, "v2", &other).await, "4");
    });
}

#[test]
fn a_token_that_is_not_ours_spends_nobodys_quota() {
    const SECRET: &str = "a secret that only the tests know";
    let app = TestApp::start_with(&["--rate-limit-api=2/h", "--jwt-secret", SECRET]);
    app.run(async {
        let ada = app.sign_up("ada").await;
        let now = get_current_timestamp();
        let signed = |secret: &str, exp: u64| {
            let claims: Value = json!({
                "sub": ada.user_id.to_string(), "iss": "chokepoint", "jti": "j", "fam": "f",
                "iat": now - 60, "exp": exp,
            });
            let key = EncodingKey::from_secret(secret.as_bytes());
            encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
        };
        let forged = signed("another secret, not less long than it", now + 60);
        for token in [&forged, &signed(SECRET, now - 1), "x"] {
            for _ in 0..3 {
                let request = app.app(Method::GET, "/api/v2/todos").bearer_auth(token);
                let refused = request.send().await.unwrap();
                assert_eq!(
                    (refused.status().as_u16(), header(&refused, "ratelimit-limit")),
                    (401, "")
                );
            }
        }
        assert_eq!(left(&app, "v2", &ada).await, "1");
    });
}

/// Anybody can send such a token; on SQLite each would take the write lock.
#[test]
fn an_unknown_refresh_token_waits_for_no_writer() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        let writing = db.begin().await.unwrap();
        let body = json!({ "refresh_token": "5f0c6b0e2f8d4c1ab37e90d2a4415c6e" });
        for version in ["v1", "v2"] {
            let refused = post(&app, &format!("/api/{version}/auth/refresh"), &body).await;
            assert_eq!(refused.status(), 401);
        }
        drop(writing);
    });
}
