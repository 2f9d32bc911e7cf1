//! Data of the lab missing-index, on every database.

use product::db::Db;
use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::Value;
use workshop::prove::changed_rows;

use crate::{
    backends::BackEnds,
    support::{TestApp, labs},
};

const ID: &str = "missing-index";
const TABLES: [&str; 4] =
    ["missing_index_slow", "missing_index_fast", "missing_index_yours", "missing_index_plain"];

async fn number(db: &Db, sql: String) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// The answer of a variant to the request of lab.json.
async fn books(app: &TestApp, variant: &str) -> Value {
    let answer = app.ask(labs().get(ID).unwrap(), variant).await;
    assert_eq!(answer.status(), 200, "{variant}");
    answer.json().await.unwrap()
}

#[test]
fn every_table_has_the_same_rows_also_after_a_change_and_a_reset() {
    let app = TestApp::start();
    app.run(async {
        let before = books(&app, "slow").await;
        assert_eq!(before.as_array().unwrap().len(), 3, "{before}");
        let db = app.db().await;
        let same = async || {
            for table in TABLES {
                let same = format!(
                    "SELECT COUNT(*) FROM missing_index_slow AS a JOIN {table} AS b \
                     ON a.id = b.id AND a.title = b.title AND a.author = b.author"
                );
                let all = format!("SELECT COUNT(*) FROM {table}");
                let counts = (number(&db, same).await, number(&db, all).await);
                assert_eq!(counts, (100_000, 100_000), "{table}");
            }
        };
        same().await;

        changed_rows::change(&db, labs().get(ID).unwrap().lab).await.unwrap();
        same().await;
        let changed = books(&app, "slow").await;
        assert_ne!(changed, before);
        for variant in ["fast", "yours", "plain-index"] {
            assert_eq!(books(&app, variant).await, changed, "{variant}");
        }
        let reset = app.ops(Method::POST, "/labs/missing-index/reset").send().await.unwrap();
        assert_eq!(reset.status(), 204);
        same().await;
        assert_eq!(books(&app, "fast").await, before);
    });
}

#[test]
fn the_search_is_for_a_title_in_any_case_and_needs_one() {
    let app = TestApp::start();
    app.run(async {
        for variant in ["v1/slow", "v2/fast", "v3/yours", "v4/plain-index"] {
            let path = format!("/api/labs/{ID}/{variant}");
            let found = async |title: &str| {
                let answer = app.get(&format!("{path}?title={title}")).await;
                answer.json::<Value>().await.unwrap()
            };
            let rows = found("CHOKEpoint").await;
            assert_eq!(rows.as_array().unwrap().len(), 3, "{variant}");
            let rows = found("the%20art%20of%20CACHES,%20volume%201").await;
            assert_eq!(rows[0]["id"], 1, "{variant}: {rows}");
            assert_eq!(found("").await, Value::Array(Vec::new()));
            for query in ["", "?title=a%00b"] {
                assert_eq!(app.get(&format!("{path}{query}")).await.status(), 422, "{variant}");
            }
        }
    });
}

/// An index that yours.sql had before, and no longer has, must not help.
#[test]
fn the_table_of_yours_is_made_anew_at_each_start() {
    let back_ends = std::sync::Arc::new(BackEnds::new());
    let indexes = async |db: &Db| {
        let sql = match db.get_database_backend() {
            DbBackend::Postgres => "SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'of_before'",
            _ => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'of_before'",
        };
        number(db, sql.to_owned()).await
    };
    let app = TestApp::start_on(back_ends.clone(), &[]);
    let before = app.run(async {
        let before = books(&app, "yours").await;
        let db = app.db().await;
        let index = "CREATE INDEX of_before ON missing_index_yours (lower(title))";
        db.execute_unprepared(index).await.unwrap();
        assert_eq!(indexes(&db).await, 1);
        before
    });
    drop(app);
    let app = TestApp::start_on(back_ends, &[]);
    app.run(async {
        assert_eq!(books(&app, "yours").await, before);
        assert_eq!(indexes(&app.db().await).await, 0);
    });
}
