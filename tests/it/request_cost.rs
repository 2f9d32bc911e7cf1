//! The request cost, as it is recorded.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use observe::{
    cost::{
        Cost,
        Counter::{self, *},
    },
    request_cost::{self, Measured, RequestCost},
    request_id::Ids,
    task, totals, upstream,
};
use product::{
    config::DatabaseConfig,
    db::Db,
    entity::{posts, users},
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::Expr};
use server::lifecycle::open_database;

use crate::backends::BackEnds;

async fn cost_of(work: impl Future<Output = ()>) -> Cost {
    let ids = Ids::of(&HeaderMap::new(), None);
    let request_cost = RequestCost::new(ids, None, Instant::now());
    Measured::new(request_cost.clone(), work).await;
    request_cost.cost()
}

fn values<const N: usize>(cost: &Cost, counters: [Counter; N]) -> [u64; N] {
    counters.map(|counter| cost.value(counter))
}

async fn database(pool_size: u32) -> (Db, BackEnds) {
    let back_ends = BackEnds::new();
    (open_database(&back_ends.database(pool_size)).await.unwrap(), back_ends)
}

#[tokio::test]
async fn a_statement_is_new_when_its_text_is_sent_for_the_first_time() {
    let (db, _back_ends) = database(2).await;
    let ask = |sql: &'static str| {
        let ask = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql));
        cost_of(async move { assert!(ask.await.unwrap().is_some()) })
    };
    let twice = [ask("SELECT 20261129 AS one").await, ask("SELECT 20261129 AS one").await];
    assert_eq!(twice.map(|cost| values(&cost, [Queries, NewStatements])), [[1, 1], [1, 0]]);
    let other = ask("SELECT 20261130 AS one").await;
    assert_eq!(values(&other, [NewStatements]), [1]);
}

#[tokio::test]
async fn queries_rows_and_commits_are_booked_on_the_request() {
    let (db, _back_ends) = database(2).await;
    let cost = cost_of(async {
        assert_eq!(posts::Entity::seeded().all(&db).await.unwrap().len(), 100);
        let txn = db.begin().await.unwrap();
        let update = users::Entity::update_many()
            .col_expr(users::Column::Email, Expr::col(users::Column::Email));
        update.exec(&txn).await.unwrap();
        txn.commit().await.unwrap();
        // A rollback is not counted as a commit.
        drop(db.begin().await.unwrap());
    })
    .await;
    assert_eq!(values(&cost, [Queries, Rows, Commits]), [2, 100, 1]);
    let [db, polls, busy, elapsed] = values(&cost, [DbMs, Polls, BusyMs, ElapsedMs]);
    assert!(db > 0 && polls > 0 && busy <= elapsed, "{cost:?}");
    assert_eq!(values(&cost, [QueriesInFlight]), [1]);
}

#[tokio::test]
async fn a_wait_for_the_pool_is_told_apart_from_the_query() {
    let (db, _back_ends) = database(1).await;
    // The only connection is in use, and is returned once the query waits.
    let taken = db.begin().await.unwrap();
    let give_back = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(taken);
    };
    let query = cost_of(async {
        posts::Entity::seeded().all(&db).await.unwrap();
    });
    let (cost, ()) = tokio::join!(query, give_back);
    assert!(cost.value(PoolWaitMs) > 40_000_000, "{cost:?}");
    assert_eq!(values(&cost, [Queries, Rows]), [1, 100]);
}

#[tokio::test]
async fn a_distance_is_time_of_the_database_and_no_wait_for_the_pool() {
    let (_near, back_ends) = database(2).await;
    let latency_db = Duration::from_millis(20);
    let db = Db::connect(&DatabaseConfig { latency_db, ..back_ends.database(2) }).await.unwrap();
    let cost = cost_of(async {
        let txn = db.begin().await.unwrap();
        posts::Entity::seeded().all(&txn).await.unwrap();
        txn.commit().await.unwrap();
    })
    .await;
    assert_eq!(values(&cost, [Queries, Commits]), [1, 1]);
    // There and back for BEGIN, query and COMMIT, by async sleep, so no thread is blocked.
    let [db, pool_wait, polls, busy] = values(&cost, [DbMs, PoolWaitMs, Polls, BusyMs]);
    assert!(db - pool_wait >= 60_000_000, "{cost:?}");
    // One poll after each way; an answer that is already there, as on a busy machine, costs none.
    assert!(polls >= 4 && busy < db, "{cost:?}");
}

#[tokio::test]
async fn outside_of_a_request_nothing_is_booked_and_nothing_breaks() {
    let (db, _back_ends) = database(2).await;
    posts::Entity::seeded().all(&db).await.unwrap();
    assert_eq!(cost_of(async {}).await.value(Queries), 0);
}

#[tokio::test]
async fn work_that_a_request_hands_on_is_counted_on_it() {
    let (db, _back_ends) = database(2).await;
    let cost = cost_of(async {
        let query = async move { posts::Entity::seeded().all(&db).await.unwrap().len() };
        assert_eq!(task::spawn(query).await.unwrap(), 100);
        let hash = || {
            request_cost::add(Hashes, 1);
            bcrypt_like_work()
        };
        task::spawn_blocking(hash).await.unwrap();
        tokio::join!(upstream::call(tokio::task::yield_now()), upstream::call(async {}));
        upstream::connected();
    })
    .await;
    let counted = [Queries, Rows, Tasks, BlockingCalls, BlockingInFlight, Hashes];
    assert_eq!(values(&cost, counted), [1, 100, 1, 1, 1, 1]);
    let counted = [UpstreamCalls, UpstreamInFlight, UpstreamConnections];
    assert_eq!(values(&cost, counted), [2, 2, 1]);
    if AllocatedBytes.is_measured() {
        assert!(cost.value(AllocatedBytes) >= MEGABYTE as u64, "{cost:?}");
        // The closure used a core, but held no worker.
        assert!(cost.value(CpuMs) > 0, "{cost:?}");
    }
}

const MEGABYTE: usize = 1 << 20;

fn bcrypt_like_work() {
    let mut bytes = vec![1_u8; MEGABYTE];
    for round in 0..50_u8 {
        bytes.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(31).wrapping_add(round));
    }
    std::hint::black_box(bytes);
}

#[tokio::test]
async fn a_task_that_nobody_accounts_for_is_in_the_totals_alone() {
    let (db, _back_ends) = database(2).await;
    let before = totals::of(Rows).unwrap();
    let cost = cost_of(async {
        let query = async move { posts::Entity::seeded().all(&db).await.unwrap().len() };
        assert_eq!(tokio::spawn(query).await.unwrap(), 100);
    })
    .await;
    assert_eq!(values(&cost, [Queries, Rows]), [0, 0]);
    // Other tests of this process may add to it at the same time.
    assert!(totals::of(Rows).unwrap() >= before + 100.0);
    assert_eq!(totals::of(LongestPollMs), None, "a maximum does not add up");
}

#[tokio::test]
async fn a_wait_for_the_write_lock_is_a_lock_wait() {
    let (db, _back_ends) = database(3).await;
    let writer = db.begin().await.unwrap();
    let give_back = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(writer);
    };
    let waits = cost_of(async { drop(db.begin().await.unwrap()) });
    let (cost, ()) = tokio::join!(waits, give_back);
    // A server locks rows, and this transaction touches none.
    if db.get_database_backend() == DbBackend::Sqlite {
        assert!(cost.value(LockWaitMs) > 40_000_000, "{cost:?}");
    }
}
