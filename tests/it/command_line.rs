//! Command line of the program: commands, one-line errors, log, exit.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::Stdio,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use product::{config::DatabaseConfig, db::Db};
use reqwest::blocking;
use sea_orm::ConnectionTrait;

use crate::program::{Ended, Serving, program, run, text};

#[test]
fn a_setting_is_still_read_under_its_old_name() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).env("DISTANCE_DB", "far").output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("LATENCY_DB") && error.contains("\"far\""), "{error}");
}

#[test]
fn a_setting_that_cannot_be_used_is_named_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (name, value) in [
        ("LISTEN", "nowhere"),
        ("LISTEN", taken.as_str()),
        ("OPS_LISTEN", "0.0.0.0:0"),
        ("OPS_PUBLIC_URL", "ops.example"),
        ("OPS_PUBLIC_URL", "http://ops.example/labs"),
        ("OPS_PUBLIC_URL", "http://?x"),
        ("UPSTREAM_LISTEN", "0.0.0.0:0"),
        ("UPSTREAM_LISTEN", taken.as_str()),
        ("WORKER_THREADS", "0"),
        ("DB_POOL_SIZE", "many"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/x"),
        ("DATABASE_URL", "postgres://me@127.0.0.1:1/x?password=hunter2"),
        ("DATABASE_URL", "postgres://me@127.0.0.1:none/x?password=hunter2"),
        ("DATABASE_URL", "sqlite:///dev/null/x.db"),
        ("OPS_TOKEN", "too-short"),
        ("LOG_FORMAT", "xml"),
        ("JWT_SECRET", "too-short"),
        ("JWT_SECRET", "                                        "),
        ("JWT_SECRET", "          too-short                     "),
        ("ACCESS_TOKEN_TTL", "0s"),
        ("REFRESH_TOKEN_TTL", "2000000y"),
        ("BCRYPT_COST", "9"),
        ("BCRYPT_COST", "99"),
        ("RUST_LOG", "a=b=c"),
        ("TOKIO_CONSOLE", "perhaps"),
        ("SHUTDOWN_TIMEOUT", "-1"),
        ("TRACE_RING_MIB", "3"),
        ("TRACE_RING_MIB", "33"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = program(folder.path()).env(name, value).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {error}");
        assert_eq!(error.lines().count(), 1, "{name}={value}: {error}");
        assert!(error.starts_with(&format!("error: {name}")), "{name}={value}: {error}");
        for secret in ["too-short", "hunter2"] {
            assert!(!error.contains(secret), "a secret is printed: {error}");
        }
    }
}

#[test]
fn a_broken_dotenv_file_and_an_unknown_flag_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["--no-such-flag"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--no-such-flag"));
    std::fs::write(folder.path().join(".env"), "OPS_TOKEN='hunter2\n").unwrap();
    let output = run(&folder, &["labs"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.starts_with("error: .env: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn labs_lists_every_lab() {
    let folder = tempfile::tempdir().unwrap();
    let listed = text(&run(&folder, &["labs"]).stdout);
    for lab in &**chokepoint::labs::CATALOGUE {
        assert!(listed.contains(lab.id), "{listed}");
    }
}

#[test]
fn seeding_adds_what_is_missing_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for (posts, added) in [("250", 150), ("250", 0), ("1200", 950), ("100", 0)] {
        let output = run(&folder, &["seed", "--posts", posts]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let stdout = text(&output.stdout);
        assert!(stdout.contains(&format!(": {added} posts added")), "{posts}: {stdout}");
    }
    let output = run(&folder, &["migrate"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn each_request_is_one_line_of_the_log_with_its_budget_and_no_secret() {
    let serving = Serving::start(&[("OPS_TOKEN", "s3cret-0123456789")]);
    let client = blocking::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| client.get(serving.url(path)).header("x-request-id", "mine");
    get("/api/labs/n-plus-one/v1/slow?password=hunter2").send().unwrap();
    get("/nope").bearer_auth("hunter2").send().unwrap();
    serving.signal(Signal::SIGTERM);
    let (code, lines) = serving.end();
    assert_eq!(code, Some(0));
    let access: Vec<_> = lines.iter().filter(|line| line["target"] == "access").collect();
    assert_eq!(access.len(), 2);
    for line in &access {
        assert_eq!(line["request_id"], "mine");
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
    }
    assert_eq!(access[0]["route"], "/api/labs/n-plus-one/v1/slow");
    assert_eq!((&access[0]["queries"], &access[0]["rows"]), (&201.into(), &300.into()));
    assert_eq!(access[0]["status"], 200);
    assert_eq!((&access[1]["route"], &access[1]["status"]), (&"<unknown>".into(), &404.into()));
    let all = format!("{lines:?}");
    assert!(!all.contains("hunter2") && !all.contains("s3cret"), "{all}");
}

#[test]
fn a_pretty_log_says_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.env("LOG_FORMAT", "pretty").stdout(Stdio::piped());
    let mut child = Ended(command.spawn().unwrap());
    let mut log = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    // A warning about an unset setting may come first.
    assert!(log.any(|line| line.contains("ready app=127.0.0.1:")));
    kill(Pid::from_raw(i32::try_from(child.0.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(log.last().unwrap().ends_with("stopped"));
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

/// Breaks the database of a running server.
pub fn drop_posts(file: &Path) {
    let url = format!("sqlite://{}", file.display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = Db::connect(&DatabaseConfig::of(url, 1)).await.unwrap();
        db.execute_unprepared("PRAGMA foreign_keys = OFF; DROP TABLE posts").await.unwrap();
        db.close().await.unwrap();
    });
}

#[test]
fn a_line_logged_within_a_request_carries_its_ids() {
    let serving = Serving::start(&[("DATABASE_URL", "sqlite://test.db")]);
    drop_posts(&serving.folder.path().join("test.db"));
    let client = blocking::Client::builder().no_proxy().build().unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = client.get(serving.url("/api/posts/v2/fast")).header("x-request-id", "lost");
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = request.send().unwrap();
    assert_eq!(answer.status(), 500);
    let body = answer.text().unwrap();
    assert!(!body.contains("no such table"), "the cause was sent: {body}");
    serving.signal(Signal::SIGTERM);
    let (_, lines) = serving.end();
    let failed = lines.iter().find(|line| line["fields"]["message"] == "request failed").unwrap();
    assert!(failed["fields"]["cause"].as_str().unwrap().contains("no such table"), "{failed}");
    assert_eq!(failed["span"]["request_id"], "lost");
    assert_eq!(failed["span"]["trace_id"], trace);
}

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let serving = Serving::start(&[]);
    let url = serving.url("/api/posts/v4/tokio-sleep");
    let request = std::thread::spawn(move || {
        let client = blocking::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().unwrap().status().as_u16()
    });
    // Waits until the request is accepted; the request itself takes 2 s.
    serving.wait_until_pending(|| request.is_finished());
    serving.signal(Signal::SIGINT);
    assert_eq!(request.join().unwrap(), 200);
    let (code, lines) = serving.end();
    assert_eq!(code, Some(0));
    assert_eq!(lines.last().unwrap()["fields"]["message"], "stopped");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut serving = Serving::start(&[]);
    let url = serving.url("/api/posts/v1/slow");
    let request = std::thread::spawn(move || {
        let client = blocking::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().is_ok()
    });
    serving.wait_until_pending(|| request.is_finished());
    serving.signal(Signal::SIGTERM);
    serving.wait_for_message("stopping");
    serving.signal(Signal::SIGTERM);
    let (code, _) = serving.end();
    assert_eq!(code, Some(130));
    assert!(!request.join().unwrap(), "the request was answered all the same");
}
