//! One span for each thing that a request waits for, or that is done for it.

use std::{sync::Barrier, thread, time::Duration};

use product::{config::DatabaseConfig, db::Db};
use serde_json::{Value, json};

use super::{
    CLIENT, INTERNAL, Received, Receiver, client, exporting, metric, named, request_span, sign_up,
    trace_id,
};

/// The only span with this name, and the name of its parent.
fn one<'a>(trace: &'a [Received], name: &str) -> (&'a Received, &'a str) {
    let spans = named(trace, name);
    assert_eq!(spans.len(), 1, "{name}: {:?}", names(trace));
    let parent = trace.iter().find(|span| span.span.span_id == spans[0].span.parent_span_id);
    (spans[0], parent.map_or("", |parent| &parent.span.name))
}

fn names(trace: &[Received]) -> Vec<&str> {
    trace.iter().map(|span| span.span.name.as_str()).collect()
}

#[test]
fn hashing_waits_transactions_and_the_cache_have_spans() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[("BCRYPT_COST", "4"), ("INSECURE", "true")]);
    let client = client();

    let (signed_up, token) = sign_up(&client, &serving, "v2");
    let trace = receiver.trace(&signed_up);
    let register = "POST /api/v2/auth/register";
    assert_eq!(request_span(&trace).span.name, register);
    for name in ["password hash wait", "blocking pool wait", "password hash", "BEGIN", "COMMIT"] {
        let (span, parent) = one(&trace, name);
        assert_eq!(parent, register, "{name}");
        let is_statement = name.chars().all(char::is_uppercase);
        assert_eq!(span.span.kind, if is_statement { CLIENT } else { INTERNAL }, "{name}");
    }
    assert!(!named(&trace, "INSERT users").is_empty(), "{:?}", names(&trace));
    assert!(!format!("{trace:?}").contains("correct horse"), "the password is in the trace");
    assert!(!format!("{trace:?}").contains("ada@"), "a bound value is in the trace");

    let todo = client.post(serving.url("/api/v2/todos")).bearer_auth(&token);
    let todo: Value = todo.json(&json!({"title": "a"})).send().unwrap().json().unwrap();
    let get = || {
        let url = serving.url(&format!("/api/v2/todos/{}", todo["id"]));
        let answer = client.get(url).bearer_auth(&token).send().unwrap();
        receiver.trace(&trace_id(&answer))
    };
    let hit = |span: &Received| format!("{:?}", span.attributes["chokepoint.cache.hit"]);
    let missed = get();
    let (look_up, parent) = one(&missed, "cache get todo");
    assert_eq!(parent, "GET /api/v2/todos/{id}");
    assert_eq!((look_up.span.kind, hit(look_up).as_str()), (INTERNAL, "BoolValue(false)"));
    one(&missed, "cache reserve todo");
    one(&missed, "cache fill todo");
    one(&missed, "SELECT todos");
    let found = get();
    assert_eq!(hit(one(&found, "cache get todo").0), "BoolValue(true)");
    assert!(named(&found, "SELECT todos").is_empty());
}

#[test]
fn a_held_thread_a_commit_of_log_lines_and_their_queues_have_spans() {
    let receiver = Receiver::http();
    let insecure = [("BCRYPT_COST", "4"), ("INSECURE", "true")];
    let serving = exporting(&receiver, "http/protobuf", &insecure);
    let client = client();

    let trace = receiver.trace(&sign_up(&client, &serving, "v1").0);
    assert_eq!(one(&trace, "v1 queue wait").1, "POST /api/v1/auth/register");
    one(&trace, "password hash");
    assert!(named(&trace, "blocking pool wait").is_empty(), "v1 hashes where it is");

    let line = json!({"device_id": "d", "log_level": "INFO", "message": "hush"});
    let answer = client.post(serving.url("/api/log")).json(&line).send().unwrap();
    let trace = receiver.trace(&trace_id(&answer));
    let (commit, parent) = one(&trace, "log lines commit");
    assert_eq!((parent, commit.int("chokepoint.lines")), ("POST /api/log", 1));
    assert_eq!(one(&trace, "log queue wait").1, "log lines commit");
    assert!(!format!("{trace:?}").contains("hush"), "a log line is in the trace");
}

#[test]
fn a_wait_for_a_connection_is_a_span_of_the_statement_that_waits() {
    let receiver = Receiver::grpc();
    let serving = exporting(
        &receiver,
        "grpc",
        &[
            ("DATABASE_URL", "sqlite://test.db"),
            ("DB_POOL_SIZE", "1"),
            ("BCRYPT_COST", "4"),
            ("INSECURE", "true"),
        ],
    );
    let url = format!("sqlite://{}", serving.folder.path().join("test.db").display());
    let config = DatabaseConfig::of(url, 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lock = runtime.block_on(async {
        let db = Db::connect(&config).await.unwrap();
        db.begin().await.unwrap()
    });
    let fast = serving.url("/api/posts/v2/fast");
    // One request takes the only connection and waits for the lock of this test; the other waits
    // for the connection.
    let (register, list) = thread::scope(|scope| {
        let register = scope.spawn(|| sign_up(&client(), &serving, "v2").0);
        // Its transaction starts once its password is hashed. (The pool is sampled once a second,
        // so the sample may still be from the start.)
        while metric(&serving, "chokepoint_password_hashes_total{model=\"async\"}") == 0 {}
        let pending = "axum_http_requests_pending{method=\"GET\",route=\"/api/posts/v2/fast\",lab=\"blocking-n-plus-one\",variant=\"fast\"}";
        let list = loop {
            let list = scope.spawn(|| client().get(&fast).send().unwrap());
            while metric(&serving, pending) == 0 && !list.is_finished() {}
            thread::park_timeout(Duration::from_millis(500));
            if !list.is_finished() {
                break list;
            }
        };
        runtime.block_on(async { drop(lock) });
        (register.join().unwrap(), list.join().unwrap())
    });
    assert!(receiver.trace(&register).len() > 1);
    let trace = receiver.trace(&trace_id(&list));
    let (wait, parent) = one(&trace, "pool wait");
    assert_eq!(parent, "SELECT posts");
    assert!(wait.span.start_time_unix_nano < wait.span.end_time_unix_nano);
}

#[test]
fn who_waits_for_the_load_of_another_has_a_span_of_that() {
    let receiver = Receiver::grpc();
    let far = [("LATENCY_DB", "300ms"), ("BCRYPT_COST", "4"), ("INSECURE", "true")];
    let serving = exporting(&receiver, "grpc", &far);
    let (_, token) = sign_up(&client(), &serving, "v2");
    let (client, together) = (client(), Barrier::new(4));
    let lists: Vec<_> = thread::scope(|scope| {
        let get = || {
            let list = client.get(serving.url("/api/v2/todos")).bearer_auth(&token);
            together.wait();
            trace_id(&list.send().unwrap())
        };
        let requests: Vec<_> = (0..4).map(|_| scope.spawn(get)).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    });
    let traces: Vec<_> = lists.iter().map(|id| receiver.trace(id)).collect();
    let waited = traces.iter().filter(|trace| !named(trace, "single-flight wait").is_empty());
    assert!(waited.count() >= 1, "nobody waited");
}
