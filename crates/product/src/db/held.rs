//! A connection that its owner holds, instrumented: its statements count as the request's.

use std::{sync::Arc, time::Instant};

use sea_orm::{
    ConnAcquireErr, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sea_query::Values,
    sqlx::{self, AssertSqlSafe, Postgres, Sqlite, pool::PoolConnection},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;
use tracing::Span;

use super::{
    Db,
    instrument::{WORTH_A_SPAN, executed_in, instrumented_connection},
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
    inner: Connection,
    link: Link,
    _held: CallGuard,
}

/// The driver's connection, on which one statement runs at a time.
enum Connection {
    Sqlite(Mutex<PoolConnection<Sqlite>>),
    Postgres(Mutex<PoolConnection<Postgres>>),
}

impl Db {
    /// Takes a connection out of the pool, for statements that belong together. Its wait is that for
    /// a connection; no statement is sent.
    pub async fn acquire(&self) -> Result<Held, DbErr> {
        let started = Instant::now();
        // The pool limits the wait. A connection at hand is no answer of the server, so its circuit
        // breaker learns nothing here.
        let acquired = self.taken().await;
        let waited = started.elapsed();
        request_cost::add_time(Counter::DbMs, waited);
        request_cost::add_time(Counter::PoolWaitMs, waited);
        if waited >= WORTH_A_SPAN {
            traces::waited("pool wait", &Span::current(), started, waited);
        }
        let (inner, held) = (acquired?, request_cost::call(Call::Connection));
        Ok(Held { inner, link: self.link.of_connection(), _held: held })
    }

    async fn taken(&self) -> Result<Connection, DbErr> {
        let taken = match self.link.backend() {
            DbBackend::Postgres => {
                let pool = self.pool.get_postgres_connection_pool();
                pool.acquire().await.map(|taken| Connection::Postgres(Mutex::new(taken)))
            }
            _ => {
                let pool = self.pool.get_sqlite_connection_pool();
                pool.acquire().await.map(|taken| Connection::Sqlite(Mutex::new(taken)))
            }
        };
        taken.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })
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

/// Result of a statement by one of sqlx's methods, on whichever driver it is.
macro_rules! sent {
    ($connection:expr, $statement:expr, $method:ident, $into:expr) => {{
        let Statement { sql, values, .. } = $statement;
        let values = SqlxValues(values.unwrap_or_else(|| Values(Vec::new())));
        let sql = AssertSqlSafe(sql);
        let started = Instant::now();
        let result = match $connection {
            Connection::Sqlite(connection) => {
                let mut connection = connection.lock().await;
                let query = sqlx::query_with::<Sqlite, _>(sql, values);
                query.$method(&mut **connection).await.map($into)
            }
            Connection::Postgres(connection) => {
                let mut connection = connection.lock().await;
                let query = sqlx::query_with::<Postgres, _>(sql, values);
                query.$method(&mut **connection).await.map($into)
            }
        };
        executed_in(started.elapsed());
        result
    }};
}

fn of_query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn of_exec(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

impl Connection {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        sent!(self, statement, execute, ExecResult::from).map_err(of_exec)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let result = match self {
            Self::Sqlite(connection) => {
                sql.execute(&mut **connection.lock().await).await.map(ExecResult::from)
            }
            Self::Postgres(connection) => {
                sql.execute(&mut **connection.lock().await).await.map(ExecResult::from)
            }
        };
        result.map_err(of_exec)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        sent!(self, statement, fetch_optional, |row| row.map(QueryResult::from)).map_err(of_query)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        sent!(self, statement, fetch_all, |rows| rows.into_iter().map(QueryResult::from).collect())
            .map_err(of_query)
    }
}

instrumented_connection!(Held, inner);
