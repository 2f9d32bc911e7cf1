//! Tests for every database: the schema up and down, first rows, concurrent writers.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use migrations::{Migrator, MigratorTrait};
use product::{
    db::{self, Db},
    entity::{comments, posts, todos, users},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel,
    PaginatorTrait, QuerySelect, Statement,
};
use server::lifecycle::open_database;
use tokio::task::JoinSet;

use crate::{backends::BackEnds, support::TestApp};

/// Concurrent writers, and below the number of writes of each.
const USERS: u64 = 50;
const WRITES: u64 = 4;

/// Names of all tables and indexes except the database's own.
async fn schema(db: &DatabaseConnection) -> BTreeSet<String> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' \
             UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
        }
        _ => "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'",
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await;
    rows.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn each_migration_leads_back_to_where_it_came_from() {
    let back_ends = BackEnds::new();
    // Opens the file, if the database is one.
    Db::connect(&back_ends.database(1)).await.unwrap().close().await.unwrap();
    let db = Database::connect(back_ends.database_url()).await.unwrap();
    Migrator::install(&db).await.unwrap();
    let nothing = schema(&db).await;
    for migration in Migrator::migrations() {
        let before = schema(&db).await;
        Migrator::up(&db, Some(1)).await.unwrap();
        let after = schema(&db).await;
        assert!(after.is_superset(&before) && after != before, "{}", migration.name());
        Migrator::down(&db, Some(1)).await.unwrap();
        assert_eq!(schema(&db).await, before, "{}", migration.name());
        Migrator::up(&db, Some(1)).await.unwrap();
        assert_eq!(schema(&db).await, after, "{}", migration.name());
    }
    let all = schema(&db).await;
    Migrator::down(&db, None).await.unwrap();
    assert_eq!(schema(&db).await, nothing);
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(schema(&db).await, all);
    db.close().await.unwrap();
}

async fn first_rows(db: &Db) -> [u64; 4] {
    [
        users::Entity::find().count(db).await.unwrap(),
        posts::Entity::find().count(db).await.unwrap(),
        comments::Entity::find().count(db).await.unwrap(),
        todos::Entity::demo().count(db).await.unwrap(),
    ]
}

#[tokio::test]
async fn of_processes_started_at_once_one_migrates_and_seeds() {
    let back_ends = BackEnds::new();
    let started: Vec<_> = (0..4)
        .map(|_| {
            let mut migrate = Command::new(env!("CARGO_BIN_EXE_chokepoint"));
            migrate.env_clear().env("DATABASE_URL", back_ends.database_url()).arg("migrate");
            migrate.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for process in started {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let db = Db::connect(&back_ends.database(1)).await.unwrap();
    assert_eq!(first_rows(&db).await, [10, 100, 150, 100]);
    db.close().await.unwrap();
}

#[tokio::test]
async fn ids_go_on_after_the_seeded_rows() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    let ada = users::Entity::find_by_id(todos::DEMO_OWNER_ID).one(&db).await.unwrap().unwrap();
    assert_eq!(ada.username, "demo-ada");
    let mut somebody =
        users::Model { username: "eve".to_owned(), email: "eve@x".to_owned(), ..ada }
            .into_active_model()
            .reset_all();
    somebody.id = NotSet;
    assert_eq!(somebody.insert(&db).await.unwrap().id, 11);
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_value_that_must_be_unique_is_refused_as_such() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    let ada = users::Entity::find_by_id(todos::DEMO_OWNER_ID).one(&db).await.unwrap().unwrap();
    for field in ["username", "email"] {
        let mut twin = ada.clone().into_active_model().reset_all();
        twin.id = NotSet;
        // One field is changed, so that only the other one is a duplicate.
        match field {
            "username" => twin.email = Set("other@x".to_owned()),
            _ => twin.username = Set("other".to_owned()),
        }
        let refused = twin.insert(&db).await.unwrap_err();
        assert!(db::is_unique_violation(&refused) && !db::is_unavailable(&refused), "{refused}");
        assert!(refused.to_string().contains(field), "{refused}");
    }
    db.close().await.unwrap();
}

/// Reads a number and writes the next one, like a handler that changes part of a row. The handlers
/// themselves are tested in `writers`.
async fn count_up(db: &Db) {
    let txn = db.begin().await.unwrap();
    // SQLite has the write lock already, and has no such clause.
    let todo = todos::Entity::find_by_id(1).lock_exclusive().one(&txn).await.unwrap().unwrap();
    let next = todo.title.parse::<u64>().unwrap() + 1;
    let mut todo = todo.into_active_model();
    todo.title = Set(next.to_string());
    todo.update(&txn).await.unwrap();
    txn.commit().await.unwrap();
}

#[test]
fn fifty_who_write_the_same_row_at_once_lose_no_update() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        let todo = todos::Entity::find_by_id(1).one(&db).await.unwrap().unwrap();
        let mut todo = todo.into_active_model();
        todo.title = Set("0".to_owned());
        todo.update(&db).await.unwrap();
        let mut writers = JoinSet::new();
        for _ in 0..USERS {
            let db = db.clone();
            writers.spawn(async move {
                for _ in 0..WRITES {
                    count_up(&db).await;
                }
            });
        }
        writers.join_all().await;
        let todo = todos::Entity::find_by_id(1).one(&db).await.unwrap().unwrap();
        assert_eq!(todo.title, (USERS * WRITES).to_string());
        db.close().await.unwrap();
    });
}

#[test]
fn a_second_instance_serves_the_same_rows() {
    let app = TestApp::start();
    let second = TestApp::start_beside(&app, &[]);
    let first = app.run(async { app.get("/api/posts/v2/fast").await.text().await.unwrap() });
    let same = second.run(async { second.get("/api/posts/v2/fast").await.text().await.unwrap() });
    assert_eq!(first, same);
}

/// Without this rule, SQLite would commit the second insert, perhaps alone. PostgreSQL answers
/// COMMIT with ROLLBACK, which its driver takes for success.
#[tokio::test]
async fn nothing_more_of_a_transaction_is_done_once_a_statement_has_failed() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(2)).await.unwrap();
    let txn = db.begin().await.unwrap();
    let insert = "INSERT INTO write_proofs VALUES (1, 0, '')";
    txn.execute_unprepared(insert).await.unwrap();
    txn.execute_unprepared(insert).await.unwrap_err();
    let other = "INSERT INTO write_proofs VALUES (2, 0, '')";
    txn.execute_unprepared(other).await.unwrap_err();
    txn.commit().await.unwrap_err();
    let count =
        Statement::from_string(db.get_database_backend(), "SELECT COUNT(*) FROM write_proofs");
    let count = db.query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(count.try_get_by_index::<i64>(0).unwrap(), 0);
}
