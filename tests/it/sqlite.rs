//! Settings that only SQLite needs.

use std::sync::Mutex;

use futures_util::future::join_all;
use product::db::Db;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::lifecycle::open_database;

use crate::backends::BackEnds;

#[tokio::test]
async fn a_commit_is_on_disk_before_it_is_acknowledged() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    // 2 is FULL. A test that kills the process can't tell it from OFF.
    for (pragma, expected) in [("synchronous", 2), ("foreign_keys", 1)] {
        let ask = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
        let row = db.query_one_raw(ask).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i32>(0).unwrap(), expected, "{pragma}");
    }
}

#[tokio::test]
async fn writers_take_turns_and_those_that_wait_take_no_connection_from_readers() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(2)).await.unwrap();
    let now_writing = db.begin().await.unwrap();
    let turns = Mutex::new(Vec::new());
    let writers = join_all((0..10).map(async |n| {
        let txn = db.begin().await.unwrap();
        turns.lock().unwrap().push(n);
        txn.commit().await.unwrap();
    }));
    let reader = async {
        // All of them wait by now; if one had a connection, none would be left.
        db.ping().await.unwrap();
        assert!(turns.lock().unwrap().is_empty());
        now_writing.commit().await.unwrap();
    };
    tokio::join!(writers, reader);
    assert_eq!(turns.into_inner().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_gives_up_waiting_or_writing_leaves_the_turn_to_the_next() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(2)).await.unwrap();
    let given_up = db.begin().await.unwrap();
    let mut waits = Box::pin(db.begin());
    assert!(futures_util::poll!(&mut waits).is_pending());
    let mut next = Box::pin(db.begin());
    assert!(futures_util::poll!(&mut next).is_pending());
    drop(waits);
    drop(given_up);
    next.await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_sqlite_has_rolled_back_by_itself_serves_nobody_any_more() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    // As on a full disk, but only for this connection.
    db.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
    let insert = |id: i64| format!("INSERT INTO write_proofs VALUES ({id}, 0, zeroblob(1000000))");
    let txn = db.begin().await.unwrap();
    txn.execute_unprepared(&insert(1)).await.unwrap_err();
    drop(txn);
    let txn = db.begin().await.unwrap();
    txn.execute_unprepared(&insert(2)).await.unwrap();
    txn.commit().await.unwrap();

    let other = Db::connect(&back_ends.database(1)).await.unwrap();
    let ask = Statement::from_string(DbBackend::Sqlite, "SELECT instance FROM write_proofs");
    let rows = other.query_all_raw(ask).await.unwrap();
    let stored: Vec<i64> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(stored, [2]);
}
