//! Keeps the Bloom filter of todo ids correct and up to date.
//!
//! The watermark is read while no insert can be in flight. On SQLite the write lock ensures it.
//! PostgreSQL assigns ids before COMMIT, so a lower one may appear after a higher one: there
//! `LOCK … IN SHARE MODE` waits until every transaction that inserts has ended, and lets none
//! begin; an INSERT takes its conflicting lock before its id. Every later id is higher on all
//! instances (the sequence has CACHE 1 and is not set back). The lock is held for one query; the
//! ids up to the watermark are read after it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::repository;
use crate::{cache::bloom::IdFilter, db::Db};

/// Interval at which the watermark follows new todos, if a request was above it.
const FOLLOW_EVERY: Duration = Duration::from_secs(30);

/// Ids per query.
const BATCH: u64 = 10_000;

/// Filter of all existing todos. A task keeps it up to date.
pub async fn known_ids(db: &Db, false_positives: f64) -> Result<Arc<IdFilter>, DbErr> {
    let filter = Arc::new(IdFilter::new(false_positives));
    let upto = watermark(db).await?;
    filter.replace(&ids_between(db, 0, upto).await?, upto);
    tokio::spawn(follow(db.clone(), Arc::downgrade(&filter)));
    Ok(filter)
}

async fn follow(db: Db, filter: Weak<IdFilter>) {
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let Some(filter) = filter.upgrade() else { return };
        if filter.was_requested_above()
            && let Err(error) = catch_up(&db, &filter).await
        {
            // The filter stays correct, but refuses less than it could.
            tracing::warn!(%error, "the Bloom filter of todo ids did not follow");
        }
    }
}

async fn catch_up(db: &Db, filter: &IdFilter) -> Result<(), DbErr> {
    let upto = watermark(db).await?;
    let new = ids_between(db, filter.watermark(), upto).await?;
    if !filter.extend(&new, upto) {
        filter.replace(&ids_between(db, 0, upto).await?, upto);
    }
    Ok(())
}

/// Id up to which no new todo can appear.
async fn watermark(db: &Db) -> Result<i64, DbErr> {
    // Takes the write lock of SQLite. Dropping the transaction rolls it back.
    let txn = db.begin().await?;
    if txn.get_database_backend() == DbBackend::Postgres {
        txn.execute_unprepared("LOCK TABLE todos IN SHARE MODE").await?;
    }
    repository::last_id(&txn).await
}

async fn ids_between(db: &Db, above: i64, upto: i64) -> Result<Vec<i64>, DbErr> {
    let mut ids = Vec::new();
    loop {
        let last = ids.last().copied().unwrap_or(above);
        let batch = repository::ids(db, last, upto, BATCH).await?;
        if batch.is_empty() {
            return Ok(ids);
        }
        ids.extend(batch);
    }
}
