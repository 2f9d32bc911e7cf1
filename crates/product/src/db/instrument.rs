//! Instruments statements: adds each to the cost of the request that sent it.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use sea_orm::DbErr;
use tracing::Span;

use super::{link::Link, span::ended};
use observe::{
    cost::Counter,
    request_cost::{self, Call},
    traces,
};

/// Shortest wait for a connection that gets a span of its own. A shorter one is the driver's
/// hand-over, and would double the bars of a trace.
pub(super) const WORTH_A_SPAN: Duration = Duration::from_millis(1);

thread_local! {
    /// Execution time of the statement that just ended on this thread, without the pool wait. Noted
    /// in the same poll in which the statement's future becomes ready.
    static EXECUTED: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Notes the execution time of a statement, in its last poll.
pub fn executed(elapsed: Duration) {
    EXECUTED.set(Some(elapsed));
}

/// Runs one statement and adds it to the request cost; `rows` counts the rows that came back. Its
/// span is never entered: nothing inside needs it, and it would slow down each poll.
pub async fn instrumented<T>(
    link: &Link,
    span: Span,
    statement: impl Future<Output = Result<T, DbErr>>,
    rows: impl FnOnce(&T) -> u64,
) -> Result<T, DbErr> {
    let _under_way = request_cost::call(Call::Query);
    link.inject_latency().await;
    let started = Instant::now();
    let result = link.bounded(statement).await;
    let (executed, waited) = (EXECUTED.take(), started.elapsed());
    let for_connection = waited.saturating_sub(executed.unwrap_or_default());
    let rows = result.as_ref().map_or(0, rows);
    request_cost::add_time(Counter::DbMs, waited);
    request_cost::add_time(Counter::PoolWaitMs, for_connection);
    // Otherwise no connection was available, and nothing was sent.
    if executed.is_some() {
        request_cost::add(Counter::Queries, 1);
        request_cost::add(Counter::Rows, rows);
    }
    if for_connection >= WORTH_A_SPAN {
        traces::waited("pool wait", &span, started, for_connection);
    }
    ended(&span, &result, Some(rows));
    result
}

/// The same without an execution time, so none of it counts as pool wait.
pub async fn instrumented_unprepared<T>(
    link: &Link,
    span: Span,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let _under_way = request_cost::call(Call::Query);
    link.inject_latency().await;
    let started = Instant::now();
    let result = link.bounded(statement).await;
    let waited = started.elapsed();
    request_cost::add_time(Counter::DbMs, waited);
    request_cost::add(Counter::Queries, 1);
    ended(&span, &result, None);
    result
}

/// Runs a statement of our own, which is not the request's.
pub async fn unbooked<T>(statement: impl Future<Output = T>) -> T {
    let result = statement.await;
    EXECUTED.take();
    result
}

/// Methods that the pool and a transaction on one of its connections have in common. The driver's
/// futures are boxed: each layer around one would hold it twice, by value.
macro_rules! instrumented_connection {
    ($wrapper:ty, $inner:ident) => {
        #[async_trait::async_trait]
        impl sea_orm::ConnectionTrait for $wrapper {
            fn get_database_backend(&self) -> sea_orm::DbBackend {
                self.$inner.get_database_backend()
            }

            async fn execute_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<sea_orm::ExecResult, sea_orm::DbErr> {
                $crate::db::texts::sent(&statement.sql);
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let sent = self.watched(Box::pin(self.$inner.execute_raw(statement)));
                $crate::db::instrument::instrumented(&self.link, span, sent, |_| 0).await
            }

            async fn execute_unprepared(
                &self,
                sql: &str,
            ) -> Result<sea_orm::ExecResult, sea_orm::DbErr> {
                let span = $crate::db::span::of_unprepared(&self.link, sql);
                let sent = self.watched(Box::pin(self.$inner.execute_unprepared(sql)));
                $crate::db::instrument::instrumented_unprepared(&self.link, span, sent).await
            }

            async fn query_one_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Option<sea_orm::QueryResult>, sea_orm::DbErr> {
                $crate::db::texts::sent(&statement.sql);
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let explain = $crate::db::engine::postgres::explain(&statement);
                let explained = explain.map(|explain| Box::pin(self.$inner.query_one_raw(explain)));
                let sent = self.watched(Box::pin(self.$inner.query_one_raw(statement)));
                let sent = $crate::db::instrument::instrumented(&self.link, span, sent, |row| {
                    u64::from(row.is_some())
                });
                $crate::db::engine::postgres::after(sent, explained).await
            }

            async fn query_all_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Vec<sea_orm::QueryResult>, sea_orm::DbErr> {
                $crate::db::texts::sent(&statement.sql);
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let explain = $crate::db::engine::postgres::explain(&statement);
                let explained = explain.map(|explain| Box::pin(self.$inner.query_one_raw(explain)));
                let sent = self.watched(Box::pin(self.$inner.query_all_raw(statement)));
                let sent = $crate::db::instrument::instrumented(&self.link, span, sent, |rows| {
                    rows.len() as u64
                });
                $crate::db::engine::postgres::after(sent, explained).await
            }
        }
    };
}

pub(super) use instrumented_connection;
