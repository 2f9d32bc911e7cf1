//! Trace of an instance that waits for the lease of another one, which loads the value.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::{Span, TracesData, span::SpanKind};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::Value;

use super::{named, one, traced};
use crate::{
    kept_traces::{kept, of},
    support::TestApp,
};

const SECRET: &str = "--jwt-secret=the same on both instances, 32 bytes";

/// Attempts, 5 ms apart, before a wait fails.
const ATTEMPTS: usize = 2_000;

const LOOK: &str = "cache reserve user_todos";

/// Waits until a request in flight has tried this often to get the lease.
async fn until_looked(app: &TestApp, trace: &str, times: usize) {
    for _ in 0..ATTEMPTS {
        let answer = app.get_ops(&format!("/debug/traces/{trace}")).await;
        // The trace is missing until the first of its spans has ended.
        if answer.status() == 200
            && named(&of(&answer.json::<TracesData>().await.unwrap()), LOOK).len() >= times
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no request has looked {times} times");
}

#[test]
fn who_waits_for_the_load_of_another_instance_has_a_span_of_that() {
    let loads = TestApp::start_with(&[SECRET]);
    let waits = TestApp::start_beside(&loads, &[SECRET]);
    loads.run(async {
        let session = loads.sign_up("both").await;
        let db = loads.db().await;
        // Makes a load wait until this transaction ends.
        let lock = db.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE todos").await.unwrap();
        let list = |app: &TestApp| traced(app.as_user(&session, Method::GET, "/api/v2/todos"));
        let ((first, first_id), (second, second_id)) = (list(&loads), list(&waits));
        let second = async {
            until_looked(&loads, &first_id, 1).await;
            second.send().await.unwrap()
        };
        let unlock = async {
            until_looked(&waits, &second_id, 2).await;
            lock.commit().await.unwrap();
        };
        let (first, second, ()) = tokio::join!(first.send(), second, unlock);
        let mut lists = Vec::new();
        for answer in [first.unwrap(), second] {
            assert_eq!(answer.status(), 200);
            lists.push(answer.json::<Value>().await.unwrap());
        }
        assert_eq!(lists[0], lists[1]);
        db.close().await.unwrap();

        let loaded = kept(&loads, &first_id).await;
        one(&loaded, "SELECT todos");
        assert!(named(&loaded, "lock wait").is_empty(), "nobody was before it");
        let waited = kept(&waits, &second_id).await;
        assert!(named(&waited, "SELECT todos").is_empty(), "it loaded for itself");
        let (request, wait) = (one(&waited, "GET /api/v2/todos"), one(&waited, "lock wait"));
        assert_eq!((wait.kind(), &wait.parent_span_id), (SpanKind::Internal, &request.span_id));
        // It tries once, then waits, and tries again and again during the wait.
        let mut looks = named(&waited, LOOK);
        let before = looks.remove(0);
        assert!(before.end_time_unix_nano <= wait.start_time_unix_nano);
        let within = |look: &&Span| {
            look.start_time_unix_nano >= wait.start_time_unix_nano
                && look.end_time_unix_nano <= wait.end_time_unix_nano
        };
        assert!(looks.iter().all(within), "{looks:?}");
    });
}
