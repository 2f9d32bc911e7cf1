//! A transaction, instrumented: its statements and commit count as the request's.

use std::{
    mem,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};

use super::{
    engine,
    instrument::{executed, instrumented_connection},
    link::Link,
    span,
    write_lock::WriteGuard,
};
use observe::{
    cost::Counter,
    request_cost::{self, Call, CallGuard},
};

/// A transaction. Dropping it rolls it back.
pub struct Transaction {
    inner: Begun,
    link: Link,
    /// True if a statement has failed or was cut short. SQLite may have rolled back by itself then,
    /// and would commit each further statement alone; PostgreSQL would answer COMMIT with ROLLBACK,
    /// which the driver takes for success.
    has_failed: AtomicBool,
    /// Write lock, released after `inner` is committed or starts to roll back.
    _turn: WriteGuard,
    _held: CallGuard,
}

impl Transaction {
    pub(super) fn new(inner: DatabaseTransaction, link: Link, write_guard: WriteGuard) -> Self {
        let (has_failed, held) = (AtomicBool::new(false), request_cost::call(Call::Connection));
        Self { inner: Begun(inner), link, has_failed, _turn: write_guard, _held: held }
    }

    /// The same transaction, not instrumented, for code that knows only sea-orm's.
    pub(super) fn unbooked(&self) -> &DatabaseTransaction {
        &self.inner.0
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

    /// Commits. Success means that it is committed, and in the file that everybody sees.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.demand_whole()?;
        let span = span::of_unprepared(&self.link, "COMMIT");
        self.link.inject_latency().await;
        let started = Instant::now();
        let committed = self.link.bounded(self.inner.0.commit()).await;
        let committed = committed.and_then(|()| self.link.is_committed());
        let waited = started.elapsed();
        request_cost::add_time(Counter::DbMs, waited);
        if committed.is_ok() {
            request_cost::add(Counter::Commits, 1);
        }
        span::ended(&span, &committed, None);
        committed
    }
}

/// sea-orm's transaction, which has its connection.
struct Begun(DatabaseTransaction);

impl Begun {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        engine::postgres::count_preparation_in(&self.0, &statement).await;
        timed(self.0.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        engine::postgres::count_preparation_in(&self.0, &statement).await;
        timed(self.0.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        engine::postgres::count_preparation_in(&self.0, &statement).await;
        timed(self.0.query_all_raw(statement)).await
    }
}

/// Runs a statement on a connection at hand, so none of it is wait for one.
async fn timed<T>(statement: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = statement.await;
    executed(started.elapsed());
    result
}

/// Marks a transaction as failed when dropped, unless it is forgotten first.
struct Fails<'a>(&'a AtomicBool);

impl Drop for Fails<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

instrumented_connection!(Transaction, inner);
