//! Data of a lab's own: made at its first request, by one attempt at a time, and reset. The labs are
//! of these tests, on a real SQLite file.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use workshop::{Data, Labs, Schema, lab::Step};

use crate::{
    own_labs::{FILL, ROWS, TABLE, evidence, fill, has_table, lab, refusal, rows_of, start},
    support::{TestApp, problem},
};

#[test]
fn data_are_made_once_and_for_an_opened_lab_only() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static MAY_GO_ON: Semaphore = Semaphore::const_new(0);
    let set_up: Step = |state| {
        Box::pin(async move {
            RUNS.fetch_add(1, SeqCst);
            let _one = MAY_GO_ON.acquire().await?;
            fill(&state.db).await
        })
    };
    let data = Data { schema: Schema::Both(TABLE), set_up: Some(set_up), ..Data::NONE };
    let other = Data { schema: Schema::Both("CREATE TABLE nobodys (id INTEGER)"), ..Data::NONE };
    let app = start(&[
        lab("opened", &evidence("opened", 1), data),
        lab("unopened", &evidence("unopened", 2), other),
    ]);
    app.run(async {
        let db = app.db().await;
        assert!(!has_table(&db, "lab_rows").await && !has_table(&db, "nobodys").await);
        // A method that no handler has is no use of the lab.
        app.app(Method::POST, "/api/labs/opened/v1/slow").send().await.unwrap();
        assert_eq!(RUNS.load(SeqCst), 0);

        let paths = ["v1/slow", "v2/fast", "v3/yours"].map(|v| format!("/api/labs/opened/{v}"));
        let all = join_all(paths.iter().cycle().take(21).map(|path| app.get(path)));
        let go_on = async {
            while RUNS.load(SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            // Leaves room for a second run by mistake.
            MAY_GO_ON.add_permits(21);
        };
        let (answers, ()) = tokio::join!(all, go_on);
        for answer in answers {
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.json::<Value>().await.unwrap()["rows"], ROWS);
        }
        assert_eq!(rows_of(&app, "/api/labs/opened/v1/slow").await, ROWS);
        assert_eq!(RUNS.load(SeqCst), 1);
        assert!(!has_table(&db, "nobodys").await, "nobody asked for it");
        // Nor is it on the record of the request that waited for it.
        let slow = app.measured("opened", "slow").await;
        assert_eq!(slow.counters[&observe::cost::Counter::Queries].max, 1.0);
    });
}

#[test]
fn a_failure_names_the_lab_and_the_next_request_tries_again() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let set_up: Step = |state| {
        Box::pin(async move {
            match RUNS.fetch_add(1, SeqCst) {
                0 => Err("the moon is in the way".into()),
                1 => panic!("the moon is full"),
                _ => fill(&state.db).await,
            }
        })
    };
    let data = Data { schema: Schema::Both(TABLE), set_up: Some(set_up), ..Data::NONE };
    let app = start(&[lab("failing", &evidence("failing", 1), data)]);
    app.run(async {
        let path = "/api/labs/failing/v2/fast";
        let detail = refusal(&app, path).await;
        let expected = "the lab failing can't be used: its set-up failed: the moon is in the way; \
            the next request tries again";
        assert_eq!(detail, expected);
        let detail = refusal(&app, path).await;
        assert!(detail.contains("it panicked: the moon is full"), "{detail}");
        assert_eq!(rows_of(&app, path).await, ROWS);
        assert_eq!(RUNS.load(SeqCst), 3);
    });
}

#[test]
fn those_who_wait_for_a_failure_share_it() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static MAY_GO_ON: Semaphore = Semaphore::const_new(0);
    const WAITING: usize = 10;
    let set_up: Step = |_| {
        Box::pin(async {
            RUNS.fetch_add(1, SeqCst);
            MAY_GO_ON.acquire().await?.forget();
            Err("not today".into())
        })
    };
    let data = Data { set_up: Some(set_up), ..Data::NONE };
    let app = start(&[lab("shared", &evidence("shared", 1), data)]);
    app.run(async {
        let path = "/api/labs/shared/v1/slow";
        let all = join_all((0..WAITING).map(|_| refusal(&app, path)));
        let go_on = async {
            while RUNS.load(SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            while !arrived(&app, WAITING).await {
                tokio::task::yield_now().await;
            }
            // Enough for a run for each of them, by mistake.
            MAY_GO_ON.add_permits(WAITING);
        };
        let (details, ()) = tokio::join!(all, go_on);
        assert!(details.iter().all(|detail| detail.contains("not today")), "{details:?}");
        assert_eq!(RUNS.load(SeqCst), 1);
    });
}

/// True if so many requests are in flight, as the metrics have it.
async fn arrived(app: &TestApp, wanted: usize) -> bool {
    let metrics = app.metrics().await;
    let in_flight = metrics.lines().filter(|line| {
        line.starts_with("axum_http_requests_pending") && line.contains("/api/labs/shared/v1/slow")
    });
    let values = in_flight.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum::<f64>() >= wanted as f64
}

#[test]
fn a_schema_is_made_as_a_whole_or_not_at_all() {
    let schema = Schema::Each {
        sqlite: "CREATE TABLE lab_rows (id INTEGER); CREATE TABLE lab_rows (id INTEGER);",
        postgres: "not for this database",
    };
    let data = Data { schema, ..Data::NONE };
    let app = start(&[lab("broken", &evidence("broken", 1), data)]);
    app.run(async {
        for _ in 0..2 {
            let detail = refusal(&app, "/api/labs/broken/v1/slow").await;
            assert!(detail.contains("the lab broken can't be used: its schema.sql failed: "));
            assert!(detail.contains("table lab_rows already exists"), "{detail}");
        }
        assert!(!has_table(&app.db().await, "lab_rows").await);
    });
}

#[test]
fn a_reset_restores_the_data_of_an_opened_lab() {
    static RESETS: AtomicU32 = AtomicU32::new(0);
    let reset: Step = |state| {
        Box::pin(async move {
            if RESETS.fetch_add(1, SeqCst) == 1 {
                return Err("stuck".into());
            }
            fill(&state.db).await
        })
    };
    let data = Data { schema: Schema::Both(TABLE), set_up: FILL, reset: Some(reset), ..Data::NONE };
    let app = start(&[lab("reset", &evidence("reset", 1), data)]);
    app.run(async {
        let path = "/api/labs/reset/v1/slow";
        let reset = async || app.ops(Method::POST, "/labs/reset/reset").send().await.unwrap();
        assert_eq!(reset().await.status(), 204);
        assert_eq!(RESETS.load(SeqCst), 0, "there was nothing to reset");

        assert_eq!(rows_of(&app, path).await, ROWS);
        let db = app.db().await;
        db.execute_unprepared("INSERT INTO lab_rows VALUES (100)").await.unwrap();
        assert_eq!(rows_of(&app, path).await, ROWS + 1);
        assert_eq!(reset().await.status(), 204);
        assert_eq!(rows_of(&app, path).await, ROWS);

        db.execute_unprepared("DELETE FROM lab_rows").await.unwrap();
        let refused = reset().await;
        assert_eq!(refused.status(), 503);
        let detail = problem(refused).await["detail"].to_string();
        assert!(
            detail.contains("the lab reset can't be used: its reset failed: stuck"),
            "{detail}"
        );
        // Nobody knows in what state that left the data, so they are made anew.
        assert_eq!(rows_of(&app, path).await, ROWS);
        assert_eq!(RESETS.load(SeqCst), 2);
    });
}

#[test]
fn a_lab_whose_service_is_missing_says_so() {
    let mut evidence = evidence("needy", 1);
    evidence["needs"] = json!({ "postgres": true });
    let app = start(&[lab("needy", &evidence, Data::NONE)]);
    app.run(async {
        let detail = refusal(&app, "/api/labs/needy/v1/slow").await;
        assert!(detail.contains("it needs PostgreSQL: set DATABASE_URL to postgres://…"));
    });
}

#[test]
fn labs_are_in_teaching_order_and_share_nothing() {
    let of = |id, evidence: &Value| lab(id, evidence, Data::NONE);
    let mut early = evidence("early", 7);
    early["area"] = json!("async_runtime");
    let labs =
        [of("late", &evidence("late", 2)), of("mid", &evidence("mid", 1)), of("early", &early)];
    let labs = Labs::load(&labs).unwrap();
    let ids: Vec<_> = labs.all().iter().map(|loaded| loaded.lab.id).collect();
    assert_eq!(ids, ["early", "mid", "late"]);

    let mut posts = [evidence("a", 1), evidence("b", 2)];
    posts.iter_mut().for_each(|e| e["request"]["mount"] = json!("/api/posts"));
    for (labs, reason) in [
        (
            [of("a", &evidence("a", 1)), of("b", &evidence("b", 1))],
            "lab.json of b: order: a is number 1 of database",
        ),
        (
            [of("a", &evidence("a", 1)), of("a", &evidence("a", 2))],
            "lab.json of a: another lab has this id",
        ),
        (
            [of("a", &posts[0]), of("b", &posts[1])],
            "lab.json of b: request.mount: another lab has /api/posts",
        ),
    ] {
        let error = Labs::load(&labs).err().unwrap().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
