//! The request cost, as it is recorded.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use observe::{
    cost::Cost,
    request_cost::{Measured, RequestCost},
    request_id::Ids,
};
use product::{
    config::DatabaseConfig,
    db::Db,
    entity::{posts, users},
};
use sea_orm::{EntityTrait, sea_query::Expr};
use server::lifecycle::open_database;

use crate::backends::BackEnds;

async fn cost_of(work: impl Future<Output = ()>) -> Cost {
    let ids = Ids::of(&HeaderMap::new(), None);
    let request_cost = RequestCost::new(ids, None, Instant::now());
    Measured::new(request_cost.clone(), work).await;
    request_cost.cost(0)
}

async fn database(pool_size: u32) -> (Db, BackEnds) {
    let back_ends = BackEnds::new();
    (open_database(&back_ends.database(pool_size)).await.unwrap(), back_ends)
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
    assert_eq!((cost.queries, cost.rows, cost.commits), (2, 100, 1));
    assert!(cost.db_ns > 0 && cost.polls > 0 && cost.busy_ns <= cost.elapsed_ns, "{cost:?}");
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
    assert!(cost.pool_wait_ns > 40_000_000, "{cost:?}");
    assert_eq!((cost.queries, cost.rows), (1, 100));
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
    assert_eq!((cost.queries, cost.commits), (1, 1));
    // There and back for BEGIN, query and COMMIT, by async sleep, so no thread is blocked.
    assert!(cost.db_ns - cost.pool_wait_ns >= 60_000_000, "{cost:?}");
    // One poll after each way; an answer that is already there, as on a busy machine, costs none.
    assert!(cost.polls >= 4 && cost.busy_ns < cost.db_ns, "{cost:?}");
}

#[tokio::test]
async fn outside_of_a_request_nothing_is_booked_and_nothing_breaks() {
    let (db, _back_ends) = database(2).await;
    posts::Entity::seeded().all(&db).await.unwrap();
    assert_eq!(cost_of(async {}).await.queries, 0);
}
