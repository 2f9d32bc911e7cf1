//! Deletes log lines older than LOG_RETENTION, a few at a time, so that no writer waits long.

use std::time::Duration;

use metrics::counter;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::db::{Db, now};
use crate::metrics as names;

/// Rows of one transaction: ingest waits some milliseconds for SQLite's write lock.
const STEP: u64 = 500;

/// Pause after a full step, in which waiting writers get the write lock.
const PAUSE: Duration = Duration::from_millis(20);

/// Bounds of the time between two checks, which is a tenth of the retention.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(100);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Deletes the oldest lines. Ids grow with time, so the time needs no index.
const DELETE_SQLITE: &str = "\
DELETE FROM log_lines WHERE created_at < $1 \
AND id IN (SELECT id FROM log_lines ORDER BY id LIMIT $2)";

/// The same. Instances that delete at the same time take different rows.
const DELETE_POSTGRES: &str = "\
DELETE FROM log_lines WHERE created_at < $1 \
AND id IN (SELECT id FROM log_lines ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Deletes lines older than `retention`, now and at each interval, for as long as it is polled. The
/// counts of `/api/stats` are of all lines ever stored, and stay.
pub async fn delete_expired(db: Db, retention: Duration) {
    let mut due = interval((retention / 10).clamp(LOOK_AT_MOST_EVERY, LOOK_AT_LEAST_EVERY));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        loop {
            match delete_step(&db, retention).await {
                Ok(STEP) => sleep(PAUSE).await,
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "log lines older than LOG_RETENTION were not deleted");
                    break;
                }
            }
        }
    }
}

async fn delete_step(db: &Db, retention: Duration) -> Result<u64, DbErr> {
    let backend = db.get_database_backend();
    let delete = match backend {
        DbBackend::Postgres => DELETE_POSTGRES,
        _ => DELETE_SQLITE,
    };
    let values = [(now() - retention).into(), i64::try_from(STEP).unwrap_or(i64::MAX).into()];
    let txn = db.begin().await?;
    let deleted = txn.execute_raw(Statement::from_sql_and_values(backend, delete, values)).await?;
    txn.commit().await?;
    counter!(names::LOG_LINES_EXPIRED).increment(deleted.rows_affected());
    Ok(deleted.rows_affected())
}
