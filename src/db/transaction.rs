//! A transaction whose statements and commit count as the request's.

use std::time::Instant;

use sea_orm::{DatabaseTransaction, DbErr};

use super::{booking::booked_connection, link::Link, span, turn::Turn};
use crate::telemetry::budget;

/// Dropped, it rolls back.
pub struct Transaction {
    inner: DatabaseTransaction,
    link: Link,
    /// Given back after `inner` is committed, or told to roll back.
    _turn: Turn,
}

impl Transaction {
    pub(super) fn new(inner: DatabaseTransaction, link: Link, turn: Turn) -> Self {
        Self { inner, link, _turn: turn }
    }

    /// The same transaction for code that knows sea-orm's only; nothing of it is booked.
    pub(super) fn unbooked(&self) -> &DatabaseTransaction {
        &self.inner
    }

    pub async fn commit(self) -> Result<(), DbErr> {
        let span = span::of_unprepared(&self.link, "COMMIT");
        self.link.travel().await;
        let started = Instant::now();
        let committed = self.link.bounded(self.inner.commit()).await;
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

booked_connection!(Transaction, inner);
