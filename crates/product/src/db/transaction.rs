//! A transaction whose statements and commit count as the request's.

use std::{
    mem,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

use sea_orm::{DatabaseTransaction, DbErr, RuntimeErr};

use super::{booking::booked_connection, link::Link, span, turn::Turn};
use observe::budget;

/// Dropped, it rolls back.
pub struct Transaction {
    inner: DatabaseTransaction,
    link: Link,
    /// A statement of it has failed or was cut short. SQLite may have rolled back by itself then, and would
    /// commit each further statement alone; PostgreSQL would answer COMMIT with ROLLBACK, which the
    /// driver takes for success.
    has_failed: AtomicBool,
    /// Given back after `inner` is committed, or told to roll back.
    _turn: Turn,
}

impl Transaction {
    pub(super) fn new(inner: DatabaseTransaction, link: Link, turn: Turn) -> Self {
        Self { inner, link, has_failed: AtomicBool::new(false), _turn: turn }
    }

    /// The same transaction for code that knows sea-orm's only; nothing of it is booked.
    pub(super) fn unbooked(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// Runs a statement, unless one before it has failed.
    async fn watched<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.demand_whole()?;
        let unless_done = Fails(&self.has_failed);
        let result = statement.await;
        if result.is_ok() {
            mem::forget(unless_done);
        }
        result
    }

    fn demand_whole(&self) -> Result<(), DbErr> {
        if self.has_failed.load(Relaxed) {
            let why = "a statement of this transaction has failed, so nothing more of it is done";
            return Err(DbErr::Conn(RuntimeErr::Internal(why.to_owned())));
        }
        Ok(())
    }

    /// An answer of success means that it is committed, and in the file that everybody sees.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.demand_whole()?;
        let span = span::of_unprepared(&self.link, "COMMIT");
        self.link.travel().await;
        let started = Instant::now();
        let committed = self.link.bounded(self.inner.commit()).await;
        let committed = committed.and_then(|()| self.link.is_committed());
        let waited = started.elapsed();
        budget::with(|b| {
            b.add_db_time(waited);
            if committed.is_ok() {
                b.add_commit();
            }
        });
        span::ended(&span, &committed, None);
        committed
    }
}

/// Dropped before it is forgotten, it marks a transaction as failed.
struct Fails<'a>(&'a AtomicBool);

impl Drop for Fails<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

booked_connection!(Transaction, inner);
