//! A connection that a request holds: one less in the pool, and on the request's record.

use std::time::Instant;

use axum::http::HeaderMap;
use observe::{
    cost::{Cost, Counter},
    request_cost::{Call, Measured, RequestCost, under_way},
    request_id::Ids,
};
use product::db::Db;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use server::lifecycle::open_database;

use crate::backends::BackEnds;

async fn measured<T>(work: impl Future<Output = T>) -> (T, Cost) {
    let ids = Ids::of(&HeaderMap::new(), None);
    let request_cost = RequestCost::new(ids, None, Instant::now());
    let result = Measured::new(request_cost.clone(), work).await;
    (result, request_cost.cost())
}

/// The number, by way of the database.
async fn echoed(db: &impl ConnectionTrait, number: i64) -> Result<i64, DbErr> {
    let sql = "SELECT CAST($1 AS BIGINT) AS n";
    let query = Statement::from_sql_and_values(db.get_database_backend(), sql, [number.into()]);
    db.query_one_raw(query).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

#[tokio::test]
async fn its_statements_are_on_the_record_and_the_pool_has_one_less() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    let other = Db::connect(&back_ends.database(1)).await.unwrap();
    let (held, cost) = measured(db.acquire()).await;
    let held = held.unwrap();
    assert_eq!(cost.value(Counter::Queries), 0, "no statement is sent");
    let mut waits = Box::pin(db.acquire());
    assert!(futures_util::poll!(&mut waits).is_pending());

    let work = async {
        held.execute_unprepared("CREATE TABLE held (n BIGINT PRIMARY KEY)").await?;
        let insert = "INSERT INTO held VALUES ($1)";
        let backend = held.get_database_backend();
        let insert = |n: i64| Statement::from_sql_and_values(backend, insert, [n.into()]);
        assert_eq!(held.execute_raw(insert(1)).await?.rows_affected(), 1);
        held.execute_raw(insert(1)).await.unwrap_err();
        held.execute_raw(insert(2)).await?;
        let all = Statement::from_string(backend, "SELECT n FROM held ORDER BY n");
        // Each statement was committed by itself, so others see them, and the failure is alone.
        let (here, there) =
            (held.query_all_raw(all.clone()).await?, other.query_all_raw(all).await?);
        Ok::<_, DbErr>((here.len(), there.len(), echoed(&held, 7).await?))
    };
    let (found, cost) = measured(work).await;
    assert_eq!(found.unwrap(), (2, 2, 7));
    assert_eq!((cost.value(Counter::Queries), cost.value(Counter::Rows)), (7, 5));

    drop(held);
    assert_eq!(echoed(&waits.await.unwrap(), 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_request_knows_how_many_connections_it_holds() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(3)).await.unwrap();
    let connections = || under_way(Call::Connection);
    let work = async {
        let mut counts = vec![connections()];
        let held = db.acquire().await.unwrap();
        counts.push(connections());
        let txn = db.begin().await.unwrap();
        counts.push(connections());
        echoed(&db, 1).await.unwrap();
        txn.commit().await.unwrap();
        counts.push(connections());
        drop(held);
        counts.push(connections());
        counts
    };
    assert_eq!(measured(work).await.0, [0, 1, 2, 1, 0]);
    let _held = db.acquire().await.unwrap();
    assert_eq!(connections(), 0, "no request runs here");
}
