//! Books each statement on the request that sent it.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use sea_orm::{DbErr, metric};
use tracing::Span;

use super::{link::Link, span::ended};
use observe::{budget, traces};

/// A shorter wait for a connection is the driver's hand-over, and no span of its own: a trace would
/// have twice the bars.
const WORTH_A_SPAN: Duration = Duration::from_millis(1);

thread_local! {
    /// How long the statement that just ended on this thread was executing, pool wait excluded.
    /// sea-orm reports it in the same poll in which the statement's future becomes ready.
    static EXECUTED: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// sea-orm calls this when a statement has ended.
pub fn executed(query: &metric::Info<'_>) {
    EXECUTED.set(Some(query.elapsed));
}

/// Runs one statement and books it on the current request; `rows` says how many came back. Its span is
/// never entered: nothing below it asks for one, and each poll would pay.
pub async fn booked<T>(
    link: &Link,
    span: Span,
    statement: impl Future<Output = Result<T, DbErr>>,
    rows: impl FnOnce(&T) -> u64,
) -> Result<T, DbErr> {
    link.travel().await;
    let started = Instant::now();
    let result = link.bounded(statement).await;
    let (executed, waited) = (EXECUTED.take(), started.elapsed());
    let for_connection = waited.saturating_sub(executed.unwrap_or_default());
    let rows = result.as_ref().map_or(0, rows);
    budget::with(|b| {
        b.add_db_time(waited);
        b.add_pool_wait(for_connection);
        // Otherwise no connection was to be had, and nothing was sent.
        if executed.is_some() {
            b.add_query(rows);
        }
    });
    if for_connection >= WORTH_A_SPAN {
        traces::waited("pool wait", &span, started, for_connection);
    }
    ended(&span, &result, Some(rows));
    result
}

/// The same for what sea-orm tells no execution time of, so none of it counts as pool wait.
pub async fn booked_unprepared<T>(
    link: &Link,
    span: Span,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    link.travel().await;
    let started = Instant::now();
    let result = link.bounded(statement).await;
    let waited = started.elapsed();
    budget::with(|b| {
        b.add_db_time(waited);
        b.add_query(0);
    });
    ended(&span, &result, None);
    result
}

/// The same methods for the pool and for a transaction on one of its connections.
macro_rules! booked_connection {
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
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let sent = self.watched(self.$inner.execute_raw(statement));
                $crate::db::booking::booked(&self.link, span, sent, |_| 0).await
            }

            async fn execute_unprepared(
                &self,
                sql: &str,
            ) -> Result<sea_orm::ExecResult, sea_orm::DbErr> {
                let span = $crate::db::span::of_unprepared(&self.link, sql);
                let sent = self.watched(self.$inner.execute_unprepared(sql));
                $crate::db::booking::booked_unprepared(&self.link, span, sent).await
            }

            async fn query_one_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Option<sea_orm::QueryResult>, sea_orm::DbErr> {
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let sent = self.watched(self.$inner.query_one_raw(statement));
                $crate::db::booking::booked(&self.link, span, sent, |row| u64::from(row.is_some()))
                    .await
            }

            async fn query_all_raw(
                &self,
                statement: sea_orm::Statement,
            ) -> Result<Vec<sea_orm::QueryResult>, sea_orm::DbErr> {
                let span = $crate::db::span::of_statement(&self.link, &statement);
                let sent = self.watched(self.$inner.query_all_raw(statement));
                $crate::db::booking::booked(&self.link, span, sent, |rows| rows.len() as u64).await
            }
        }
    };
}

pub(super) use booked_connection;
