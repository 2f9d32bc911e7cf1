//! Keeps the Bloom filter of todo ids right and up to date.
//!
//! Its watermark is read while no insert can be in flight. SQLite: under the one write lock there is.
//! PostgreSQL hands ids out before COMMIT, so a lower one may appear after a higher one: there
//! `LOCK … IN SHARE MODE` waits until every transaction that inserts has ended, and lets none begin;
//! an INSERT takes its conflicting lock before its id. Every id handed out later is higher (the
//! sequence has CACHE 1 and is not set back), whichever instance asks for it. The lock is held for
//! one query; what exists up to the watermark is read after it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::repository;
use crate::{cache::bloom::IdFilter, db::Db};

/// How often the watermark follows new todos, if anybody asked for one above it.
const FOLLOW_EVERY: Duration = Duration::from_secs(30);

/// Ids of one query.
const BATCH: u64 = 10_000;

/// The filter of all todos there are; a task makes it follow.
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
        if filter.was_asked_above()
            && let Err(error) = catch_up(&db, &filter).await
        {
            // It goes on refusing less than it could.
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

/// An id up to which no todo can appear any more.
async fn watermark(db: &Db) -> Result<i64, DbErr> {
    // Takes the write lock of SQLite. Dropped, it rolls back.
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
