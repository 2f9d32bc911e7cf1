//! Spans of statements on PostgreSQL.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use reqwest::{Method, Url};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{error, int, named, one, text, traced};
use crate::{
    backends::BackEnds,
    kept_traces::kept,
    support::{PASSWORD, TestApp, header},
};

/// Attempts, 10 ms apart, before a wait fails.
const ATTEMPTS: usize = 1_000;

/// Checks server and database of the statement's span.
fn is_of(span: &Span, database: &Url) {
    assert_eq!(span.kind(), SpanKind::Client, "{}", span.name);
    assert_eq!(text(span, "db.system.name"), "postgresql", "{}", span.name);
    assert_eq!(text(span, "server.address"), database.host_str().unwrap(), "{}", span.name);
    assert_eq!(int(span, "server.port"), i64::from(database.port().unwrap()), "{}", span.name);
    assert_eq!(text(span, "db.namespace"), &database.path()[1..], "{}", span.name);
}

fn statements(trace: &[Span]) -> Vec<&Span> {
    trace.iter().filter(|span| text(span, "db.system.name") == "postgresql").collect()
}

fn start() -> (TestApp, Url) {
    let back_ends = Arc::new(BackEnds::new());
    let database = Url::parse(&back_ends.database_url()).unwrap();
    (TestApp::start_on(back_ends, &[]), database)
}

#[test]
fn a_query_names_server_database_table_and_rows_and_has_placeholders_for_values() {
    let (app, database) = start();
    app.run(async {
        let answer = app.get("/api/labs/n-plus-one/v1/slow").await;
        let trace = kept(&app, header(&answer, "x-trace-id")).await;
        let request = one(&trace, "GET /api/labs/n-plus-one/v1/slow");
        assert_eq!(
            (int(request, "chokepoint.queries"), int(request, "chokepoint.rows")),
            (201, 300)
        );
        let mut sent = BTreeMap::<_, (usize, i64)>::new();
        for query in statements(&trace) {
            is_of(query, &database);
            assert_eq!((&query.parent_span_id, error(query)), (&request.span_id, None));
            assert_eq!(text(query, "db.operation.name"), "SELECT");
            assert_eq!(text(query, "db.query.summary"), query.name);
            assert!(text(query, "db.query.text").contains("$1"), "{query:?}");
            let (statements, rows) = sent.entry(text(query, "db.collection.name")).or_default();
            *statements += 1;
            *rows += int(query, "db.response.returned_rows");
        }
        let expected = [("comments", (100, 100)), ("posts", (1, 100)), ("users", (100, 100))];
        assert_eq!(sent, BTreeMap::from(expected));
    });
}

#[test]
fn a_transaction_begins_and_ends_with_spans_and_none_has_what_was_written() {
    let (app, database) = start();
    app.run(async {
        let body = json!({"username": "ada", "email": "ada@example.com", "password": PASSWORD});
        let (register, id) = traced(app.app(Method::POST, "/api/v2/auth/register"));
        assert_eq!(register.json(&body).send().await.unwrap().status(), 201);
        let trace = kept(&app, &id).await;
        let request = one(&trace, "POST /api/v2/auth/register");
        let mut sent = statements(&trace);
        sent.sort_by_key(|span| span.start_time_unix_nano);
        let names: Vec<_> = sent.iter().map(|span| span.name.as_str()).collect();
        assert_eq!((names.first(), names.last()), (Some(&"BEGIN"), Some(&"COMMIT")), "{names:?}");
        for span in sent {
            is_of(span, &database);
            assert_eq!((&span.parent_span_id, error(span)), (&request.span_id, None));
        }
        let insert = one(&trace, "INSERT users");
        assert!(text(insert, "db.query.text").contains("$3"), "{insert:?}");
        assert_eq!(int(insert, "db.response.returned_rows"), 1);
        for name in ["BEGIN", "COMMIT"] {
            let span = one(&trace, name);
            assert_eq!((text(span, "db.operation.name"), text(span, "db.query.text")), (name, ""));
        }
        let all = format!("{trace:?}");
        assert!(!all.contains("ada@") && !all.contains(PASSWORD), "{all}");

        let session = app.sign_up("bob").await;
        let (create, id) = traced(app.as_user(&session, Method::POST, "/api/v2/todos"));
        assert_eq!(create.json(&json!({"title": "t"})).send().await.unwrap().status(), 201);
        let trace = kept(&app, &id).await;
        let request = one(&trace, "POST /api/v2/todos");
        for name in ["BEGIN", "INSERT todos", "COMMIT"] {
            // A separate task sends COMMIT.
            assert_eq!(one(&trace, name).parent_span_id, request.span_id, "{name}");
        }
    });
}

#[test]
fn a_statement_that_is_refused_or_loses_its_connection_is_an_error() {
    let (app, database) = start();
    app.run(async {
        let db = app.db().await;
        let lock = db.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE posts").await.unwrap();
        let terminate = async {
            let waiting = "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'; \
                           IF NOT FOUND THEN RAISE 'nobody waits'; END IF; END $$";
            for _ in 0..ATTEMPTS {
                if db.execute_unprepared(waiting).await.is_ok() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("no statement waits for the lock");
        };
        let (lost, ()) = tokio::join!(app.get("/api/posts/v2/fast"), terminate);
        lock.execute_unprepared("DROP TABLE posts CASCADE").await.unwrap();
        lock.commit().await.unwrap();
        let refused = app.get("/api/posts/v2/fast").await;
        db.close().await.unwrap();

        for (answer, status, kind) in [(lost, 503, "unavailable"), (refused, 500, "refused")] {
            assert_eq!(answer.status(), status);
            let trace = kept(&app, header(&answer, "x-trace-id")).await;
            let queries = named(&trace, "SELECT posts");
            let query = queries.first().unwrap();
            is_of(query, &database);
            assert_eq!((queries.len(), error(query)), (1, Some(kind)));
            let request = one(&trace, "GET /api/posts/v2/fast");
            assert_eq!(error(request), Some(status.to_string().as_str()));
        }
    });
}
