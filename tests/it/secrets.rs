//! A complete run with verbose logs, which must not contain any secret.

use std::{
    fs::{self, File},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{
    Method,
    blocking::{Client, Response},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    backends::BackEnds,
    program::{Ended, address, program, text},
};

/// Secrets of the server's owner.
const JWT_SECRET: &str = "jwt-secret-0123456789-0123456789";
const OPS_TOKEN: &str = "ops-token-0123456789";
const REDIS_PASSWORD: &str = "redis-password-0123456789";

/// Secrets of users: passwords, private texts, invalid tokens.
const SENT: [&str; 9] = [
    "correct-horse-battery",
    "wrong-horse-battery",
    "what-is-to-be-done",
    "what-is-logged-here",
    "what-is-posted-here",
    "a-query-parameter",
    "a-token-that-is-none",
    "a-body-that-is-no-json",
    "an-ops-token-that-is-none",
];

struct Run {
    client: Client,
    app: String,
    ops: String,
    secrets: Vec<String>,
}

impl Run {
    fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.app));
        let request = request.bearer_auth(token);
        if body.is_null() { request } else { request.json(body) }.send().unwrap()
    }

    /// Records the tokens of an answer as secrets.
    fn session(&mut self, path: &str, status: u16, body: &Value) -> [String; 2] {
        let answer = self.send(Method::POST, path, "", body);
        assert_eq!(answer.status(), status, "{path}");
        let answer: Value = answer.json().unwrap();
        let tokens =
            ["access_token", "refresh_token"].map(|t| answer[t].as_str().unwrap().to_owned());
        self.secrets.extend(tokens.clone());
        tokens
    }

    fn everything(&mut self, version: &str) {
        let [right, wrong, todo, log, post, query, no_token, no_json, no_ops_token] = SENT;
        let api = |path: &str| format!("/api/{version}{path}");
        let email = format!("{version}@example.com");
        let account =
            json!({"username": format!("user_{version}"), "email": email, "password": right});
        let login = |password: &str| json!({"email": email, "password": password});
        self.session(&api("/auth/register"), 201, &account);
        assert_eq!(self.send(Method::POST, &api("/auth/register"), "", &account).status(), 409);
        let short = json!({"username": "x", "email": right, "password": "short"});
        assert_eq!(self.send(Method::POST, &api("/auth/register"), "", &short).status(), 422);
        assert_eq!(self.send(Method::POST, &api("/auth/login"), "", &login(wrong)).status(), 401);
        let [_, refresh] = self.session(&api("/auth/login"), 200, &login(right));
        let refresh = json!({"refresh_token": refresh});
        let [token, _] = self.session(&api("/auth/refresh"), 200, &refresh);

        let made = self.send(Method::POST, &api("/todos"), &token, &json!({"title": todo}));
        assert_eq!(made.status(), 201);
        let id = made.json::<Value>().unwrap()["id"].clone();
        let path = api(&format!("/todos/{id}"));
        let changed = json!({"title": format!("{todo} now"), "completed": true});
        for (method, body) in
            [(Method::PUT, &changed), (Method::GET, &Value::Null), (Method::DELETE, &Value::Null)]
        {
            assert!(self.send(method, &path, &token, body).status().is_success());
        }
        let list = api(&format!("/todos?secret={query}"));
        assert_eq!(self.send(Method::GET, &list, no_token, &Value::Null).status(), 401);
        assert_eq!(self.send(Method::GET, &list, &token, &Value::Null).status(), 200);

        let line =
            json!({"device_id": "d", "log_level": "INFO", "message": log, "log_data": {"x": log}});
        assert_eq!(self.send(Method::POST, "/api/log", "", &line).status(), 200);
        assert_eq!(
            self.send(Method::POST, "/api/logs/batch", "", &json!([line, line])).status(),
            200
        );
        let article = json!({"title": post, "body": post});
        assert_eq!(self.send(Method::POST, "/api/posts", &token, &article).status(), 201);

        let broken = self.client.post(format!("{}{}", self.app, api("/auth/login")));
        let broken = broken.header("content-type", "application/json").body(format!("{{{no_json}"));
        assert_eq!(broken.send().unwrap().status(), 400);
        for (token, status) in [(OPS_TOKEN, 200), (no_ops_token, 401)] {
            let request = self.client.get(format!("{}/metrics?secret={query}", self.ops));
            assert_eq!(request.bearer_auth(token).send().unwrap().status(), status);
        }
        // A second refresh with the same token, which ends the session.
        assert_eq!(self.send(Method::POST, &api("/auth/refresh"), "", &refresh).status(), 401);
        let [token, _] = self.session(&api("/auth/login"), 200, &login(right));
        assert_eq!(
            self.send(Method::POST, &api("/auth/logout"), &token, &Value::Null).status(),
            204
        );
        assert_eq!(self.send(Method::GET, &list, &token, &Value::Null).status(), 401);
    }
}

/// Password of a URL, if it has one.
fn password(url: &str) -> Option<&str> {
    let (authority, _) = url.split_once("://")?.1.split_once('@')?;
    Some(authority.split_once(':')?.1)
}

/// Everything printed in a run in which each API version did everything, and its secrets.
fn log_of_a_run(format: &str) -> (String, Vec<String>) {
    let (folder, back_ends) = (TempDir::new().unwrap(), BackEnds::new());
    let file = |name: &str| File::create(folder.path().join(name)).unwrap();
    let mut command = program(folder.path());
    // The tests' Redis if there is one, which accepts any password; else none.
    let redis = back_ends
        .flags()
        .into_iter()
        .find_map(|flag| Some(flag.strip_prefix("--redis-url=")?.to_owned()));
    let redis = redis.unwrap_or_else(|| "redis://127.0.0.1:1".to_owned());
    let redis = redis.replace("redis://", &format!("redis://default:{REDIS_PASSWORD}@"));
    command.env("RUST_LOG", "trace").env("LOG_FORMAT", format).env("BCRYPT_COST", "4");
    command.env("INSECURE", "true").env("DATABASE_URL", back_ends.database_url());
    command.env("JWT_SECRET", JWT_SECRET).env("OPS_TOKEN", OPS_TOKEN).env("REDIS_URL", redis);
    let mut child = Ended(command.stdout(file("out")).stderr(file("err")).spawn().unwrap());
    let log = || text(&fs::read(folder.path().join("out")).unwrap());
    let (app, ops) = loop {
        let url = |port| {
            log().lines().find_map(|line| address(line, port)).map(|a| format!("http://{a}"))
        };
        if let (Some(app), Some(ops)) = (url("app"), url("ops")) {
            break (app, ops);
        }
        assert!(child.0.try_wait().unwrap().is_none(), "it ended: {}", log());
        #[expect(clippy::disallowed_methods, reason = "there is nothing to do meanwhile")]
        thread::sleep(Duration::from_millis(20));
    };
    let mut secrets: Vec<String> = [JWT_SECRET, OPS_TOKEN, REDIS_PASSWORD]
        .iter()
        .chain(&SENT)
        .map(|s| (*s).to_owned())
        .collect();
    secrets.extend(password(&back_ends.database_url()).map(str::to_owned));
    // Start of a bcrypt hash.
    secrets.push("$2b$".to_owned());
    let client = Client::builder().no_proxy().build().unwrap();
    let mut run = Run { client, app, ops, secrets };
    run.everything("v1");
    run.everything("v2");
    kill(Pid::from_raw(i32::try_from(child.0.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(child.0.wait().unwrap().success());
    (log() + &text(&fs::read(folder.path().join("err")).unwrap()), run.secrets)
}

#[test]
fn a_run_with_everything_logged_prints_no_secret() {
    for format in ["json", "pretty"] {
        let (log, secrets) = log_of_a_run(format);
        for secret in secrets {
            let line = log.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "{secret} is logged: {}", line.unwrap());
        }
        let of_library = |line: &&str| {
            let ours = ["chokepoint", "access", "migrations"];
            line.contains("TRACE") && !ours.iter().any(|ours| line.contains(ours))
        };
        assert_eq!(log.lines().find(of_library), None);
        // The run was really verbose, and libraries logged what they may.
        assert!(log.contains("DEBUG") && log.contains("SELECT"), "{log}");
        assert!(log.contains("/api/v1/auth/login") && log.contains("/api/v2/todos"), "{log}");
    }
}

#[test]
fn a_start_that_fails_prints_no_password() {
    let folder = TempDir::new().unwrap();
    let mut command = program(folder.path());
    command.env("RUST_LOG", "trace").env("JWT_SECRET", JWT_SECRET).env("OPS_TOKEN", OPS_TOKEN);
    let output = command
        .env("DATABASE_URL", "postgres://somebody:hunter2-hunter2@127.0.0.1:1/nowhere")
        .env("REDIS_URL", format!("redis://:{REDIS_PASSWORD}@127.0.0.1:1"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(printed.contains("DATABASE_URL"), "{printed}");
    for secret in ["hunter2", JWT_SECRET, OPS_TOKEN, REDIS_PASSWORD] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}
