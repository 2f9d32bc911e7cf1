//! Check that the database accepts writes. Writes of clients show it at no cost; without any, a row
//! of this instance's own is written.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::time::timeout;

use super::{
    Db,
    failure::{is_unavailable, is_write_failure},
    now,
};
use observe::millis::{MillisClock, whole_millis};

/// Time for which the outcome of a write counts.
const COUNTS_FOR: Duration = Duration::from_secs(1);

/// Longest time of a write, after which it has failed.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of the row, more than an ordinary request writes: if this finds room, that does too.
const FILLER: usize = 32 * 1024;

/// Seconds after which other instances delete the row of one that writes no more.
const GONE_AFTER: i64 = 60;

const WRITE_ROW: &str = "\
INSERT INTO write_proofs (instance, written_at, filler) VALUES ($1, $2, $3) \
ON CONFLICT (instance) DO UPDATE SET written_at = excluded.written_at, filler = excluded.filler";

const DELETE_ROWS: &str = "DELETE FROM write_proofs WHERE written_at < $1";

/// Outcomes of writes. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Writes(Arc<Outcomes>);

struct Outcomes {
    clock: MillisClock,
    /// Key of this instance's row.
    instance: i64,
    /// Time by `clock`; 0 if it never happened.
    committed: AtomicU64,
    failed: AtomicU64,
    why: Mutex<String>,
    /// Lock that is held while a row is written.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Writes {
    pub fn new() -> Self {
        Self(Arc::new(Outcomes {
            clock: MillisClock::start(),
            instance: fastrand::i64(..),
            committed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            why: Mutex::default(),
            writing: Arc::default(),
        }))
    }

    pub fn committed(&self) {
        self.0.committed.store(self.0.clock.now(), Relaxed);
    }

    /// Records an error if it means that nothing can be written.
    pub fn failed(&self, error: &DbErr) {
        if is_write_failure(error) {
            self.failed_because(error.to_string());
        }
    }

    fn failed_because(&self, why: String) {
        *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
        self.0.failed.store(self.0.clock.now(), Relaxed);
    }

    /// Outcome of the last write, and true if it still counts.
    fn last(&self) -> (Result<(), String>, bool) {
        let (committed, failed) = (self.0.committed.load(Relaxed), self.0.failed.load(Relaxed));
        let counts =
            self.0.clock.now().saturating_sub(committed.max(failed)) < whole_millis(COUNTS_FOR);
        if failed == 0 || committed > failed {
            return (Ok(()), counts);
        }
        (Err(self.0.why.lock().unwrap_or_else(PoisonError::into_inner).clone()), counts)
    }
}

impl Db {
    /// Checks that the database accepts writes. Errors with the reason. Takes no longer than
    /// `within`: if nothing is known by then, because others write, the last outcome holds.
    pub async fn takes_writes(&self, within: Duration) -> Result<(), String> {
        let writes = self.link.writes();
        let (last, counts) = writes.last();
        if counts {
            return last;
        }
        let writing = &writes.0.writing;
        // One write for all callers, in a task, because a caller may go away.
        if let Ok(held) = writing.clone().try_lock_owned() {
            let db = self.clone();
            tokio::spawn(async move {
                // Errors that may pass are recorded where every statement's are.
                if let Err(error) = db.write_row().await
                    && !is_unavailable(&error)
                {
                    db.link.writes().failed_because(error.to_string());
                }
                drop(held);
            });
        }
        let _ = timeout(within, writing.lock()).await;
        writes.last().0
    }

    async fn write_row(&self) -> Result<(), DbErr> {
        let write_lock = self.write_lock.with_own_connections();
        let near = Self { link: self.link.near(), write_lock, ..self.clone() };
        let statement = |sql, values: Vec<sea_orm::Value>| {
            Statement::from_sql_and_values(near.get_database_backend(), sql, values)
        };
        let instance = self.link.writes().0.instance;
        let now = now().timestamp();
        // Random, so that it takes its room where rows are compressed.
        let filler: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(FILLER).collect();
        let txn = near.begin().await?;
        // From here on it waits for no other writer.
        let written = async {
            txn.execute_raw(statement(DELETE_ROWS, vec![(now - GONE_AFTER).into()])).await?;
            let row = vec![instance.into(), now.into(), filler.into()];
            txn.execute_raw(statement(WRITE_ROW, row)).await?;
            txn.commit().await
        };
        let hangs = || DbErr::Custom(format!("no commit within {WRITTEN_WITHIN:?}"));
        timeout(WRITTEN_WITHIN, written).await.unwrap_or_else(|_| Err(hangs()))
    }
}
