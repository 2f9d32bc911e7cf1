//! Spans of commands to Redis.

use std::{collections::BTreeMap, sync::Arc};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind},
};
use reqwest::{Method, StatusCode, Url};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{error, int, one, text, traced};
use crate::{
    backends::BackEnds,
    kept_traces::kept,
    shared_cache::redis_server::RedisServer,
    support::{PASSWORD, Session, TestApp},
};

const LIMITED: &str = "--rate-limit-api=6000/min";

fn commands(trace: &[Span]) -> Vec<&Span> {
    trace.iter().filter(|span| text(span, "db.system.name") == "redis").collect()
}

/// Purpose and operation of each command to Redis.
fn names(trace: &[Span]) -> BTreeMap<&str, &str> {
    let commands = commands(trace).into_iter();
    commands.map(|span| (span.name.as_str(), text(span, "db.operation.name"))).collect()
}

/// Sends a request as this user, and returns its trace.
async fn ask(app: &TestApp, session: &Session, method: Method, path: &str) -> Vec<Span> {
    let (request, id) = traced(app.as_user(session, method.clone(), path));
    let body = json!({"title": "hush", "description": "nobody's business"});
    let request = if method == Method::GET { request } else { request.json(&body) };
    let status = request.send().await.unwrap().status();
    assert!(status.is_success(), "{path}: {status}");
    kept(app, &id).await
}

fn is_hit(span: &Span) -> bool {
    let hit = span.attributes.iter().find(|attribute| attribute.key == "chokepoint.cache.hit");
    let hit = hit.and_then(|attribute| attribute.value.clone());
    hit == Some(AnyValue { value: Some(Value::BoolValue(true)) })
}

#[test]
fn a_command_says_what_it_is_for_and_where_it_went_and_neither_key_nor_value() {
    let back_ends = Arc::new(BackEnds::new());
    let redis = Url::parse(&back_ends.redis_url()).unwrap();
    let app = TestApp::start_on(back_ends, &[LIMITED]);
    app.run(async {
        let session = app.sign_up("ada").await;
        let todos = "/api/v2/todos";
        let created = ask(&app, &session, Method::POST, todos).await;
        let list = app.as_user(&session, Method::GET, todos).send().await.unwrap();
        let list: serde_json::Value = list.json().await.unwrap();
        let todo = format!("{todos}/{}", list[0]["id"]);
        let missed = ask(&app, &session, Method::GET, &todo).await;
        let found = ask(&app, &session, Method::GET, &todo).await;
        let changed = ask(&app, &session, Method::PUT, &todo).await;
        let logout = ask(&app, &session, Method::POST, "/api/v2/auth/logout").await;

        // The revocations may be copied in between, which needs other commands.
        let sent =
            |trace: &[Span], (name, command)| names(trace).get(name).is_some_and(|c| *c == command);
        let (get, reserve) = (("cache get todo", "GET"), ("cache reserve todo", "EVALSHA"));
        for (trace, commands) in [
            (&missed, [get, reserve, ("cache fill todo", "EVALSHA")].as_slice()),
            (&found, &[get]),
            (
                &changed,
                &[
                    ("cache announce user_todos", "EVALSHA"),
                    ("cache written user_todos", "EVALSHA"),
                ],
            ),
            (&logout, &[("cache set tokens", "SET")]),
        ] {
            let always = [("cache get many tokens", "MGET"), ("rate limit api", "EVALSHA")];
            for command in commands.iter().chain(&always) {
                assert!(sent(trace, *command), "{command:?} is not among {:?}", names(trace));
            }
        }
        assert!(!sent(&found, reserve));
        let [miss, hit] = [&missed, &found].map(|trace| is_hit(one(trace, "cache get todo")));
        assert!(!miss && hit);

        let token = Sha256::digest(&session.token);
        let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
        let secrets = [&token, &session.token, &session.refresh_token, &session.email, PASSWORD];
        for trace in [&created, &missed, &found, &changed, &logout] {
            for span in commands(trace) {
                assert_eq!((span.kind(), error(span)), (SpanKind::Client, None), "{}", span.name);
                assert_eq!(text(span, "server.address"), redis.host_str().unwrap());
                assert_eq!(int(span, "server.port"), i64::from(redis.port().unwrap()));
                assert_eq!(text(span, "db.namespace"), &redis.path()[1..]);
                let all = format!("{span:?}");
                for secret in
                    secrets.iter().chain(&["hush", "nobody", "blacklist", "rate:", "todo:"])
                {
                    assert!(!all.contains(secret), "{secret} is on {all}");
                }
            }
        }
    });
}

#[test]
fn a_command_that_fails_is_an_error_and_its_request_is_none() {
    let mut server = RedisServer::start();
    let app = TestApp::start_with(&[&format!("--redis-url={}", server.url()), LIMITED]);
    app.run(async {
        let session = app.sign_up("ada").await;
        let mut redis = server.client().await;
        let full = ["SET", "maxmemory", "1"];
        redis::cmd("CONFIG").arg(&full).exec_async(&mut redis).await.unwrap();
        let refused = ask(&app, &session, Method::GET, "/api/v2/todos").await;
        assert_eq!(error(one(&refused, "cache get user_todos")), None, "reading needs no room");
        server.kill();
        let down = ask(&app, &session, Method::GET, "/api/v2/todos").await;
        assert_eq!(error(one(&down, "cache get user_todos")), Some("unavailable"));
        for trace in [refused, down] {
            let request = one(&trace, "GET /api/v2/todos");
            let status = int(request, "http.response.status_code");
            assert_eq!((status, error(request)), (StatusCode::OK.as_u16().into(), None));
            for name in ["cache reserve user_todos", "rate limit api"] {
                assert_eq!(error(one(&trace, name)), Some("unavailable"), "{name}");
            }
            one(&trace, "SELECT todos");
        }
    });
}
