//! A connection that its owner holds, instrumented: its statements count as the request's.

use std::time::Instant;

use sea_orm::DbErr;
use tracing::Span;

use super::{
    Db,
    connection::Connection,
    engine::sqlite::Lent,
    instrument::{WORTH_A_SPAN, instrumented_connection},
    link::Link,
};
use observe::{
    cost::Counter,
    request_cost::{self, Call, CallGuard},
    traces,
};

/// A connection out of the pool. Each statement is committed by itself. Others have one less until
/// it is dropped.
pub struct Held {
    /// Given back before the connection, which another request may take at once.
    _lent: Option<Lent>,
    inner: Connection,
    link: Link,
    _held: CallGuard,
}

impl Db {
    /// Takes a connection out of the pool, for statements that belong together. Its wait is that for
    /// a connection; no statement is sent.
    pub async fn acquire(&self) -> Result<Held, DbErr> {
        let started = Instant::now();
        // The pool limits the wait. A connection at hand is no answer of the server, so its circuit
        // breaker learns nothing here.
        let acquired = self.pool.taken().await;
        let waited = started.elapsed();
        request_cost::add_time(Counter::DbMs, waited);
        request_cost::add_time(Counter::PoolWaitMs, waited);
        if waited >= WORTH_A_SPAN {
            traces::waited("pool wait", &Span::current(), started, waited);
        }
        let (inner, held) = (acquired?, request_cost::call(Call::Connection));
        let lent = inner.lent_to_holder().await?;
        Ok(Held { _lent: lent, inner, link: self.link.of_connection(), _held: held })
    }
}

impl Held {
    /// Runs a statement without a check: each stands for itself.
    async fn watched<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        statement.await
    }
}

instrumented_connection!(Held, inner);
