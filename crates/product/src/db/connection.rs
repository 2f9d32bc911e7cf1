//! The driver's connection, and the pool that lends it.

use std::{ops::Deref, sync::Arc, time::Instant};

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
    sea_query::Values,
    sqlx::{self, AssertSqlSafe, Postgres, Sqlite, pool::PoolConnection},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

use super::{
    engine::{self, sqlite::Lent},
    instrument::executed,
};

/// A connection out of the pool, on which one statement runs at a time.
pub enum Connection {
    Sqlite(Mutex<PoolConnection<Sqlite>>),
    Postgres(Mutex<PoolConnection<Postgres>>),
}

/// sea-orm's pool. Each statement takes a connection for itself.
pub struct Pool(pub DatabaseConnection);

impl Deref for Pool {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.0
    }
}

impl Connection {
    /// Has SQLite count for the request that holds it.
    pub async fn lent_to_holder(&self) -> Result<Option<Lent>, DbErr> {
        let Self::Sqlite(connection) = self else { return Ok(None) };
        let lent = engine::sqlite::lend_to_holder(&mut *connection.lock().await).await;
        lent.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

impl Pool {
    /// Takes a connection out of the pool, which limits the wait.
    pub async fn taken(&self) -> Result<Connection, DbErr> {
        let taken = match self.0.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.0.get_postgres_connection_pool();
                pool.acquire().await.map(|taken| Connection::Postgres(Mutex::new(taken)))
            }
            _ => {
                let pool = self.0.get_sqlite_connection_pool();
                pool.acquire().await.map(|taken| Connection::Sqlite(Mutex::new(taken)))
            }
        };
        taken.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })
    }

    pub async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.taken().await?.execute_raw(statement).await
    }

    pub async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.taken().await?.execute_unprepared(sql).await
    }

    pub async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.taken().await?.query_one_raw(statement).await
    }

    pub async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.taken().await?.query_all_raw(statement).await
    }
}

/// Result of a statement by one of sqlx's methods, on whichever driver it is.
macro_rules! sent {
    ($connection:expr, $statement:expr, $method:ident, $into:expr) => {{
        let Statement { sql, values, .. } = $statement;
        let values = SqlxValues(values.unwrap_or_else(|| Values(Vec::new())));
        let started = Instant::now();
        let result = match $connection {
            Connection::Sqlite(connection) => {
                let mut connection = connection.lock().await;
                let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql), values);
                query.$method(&mut **connection).await.map($into)
            }
            Connection::Postgres(connection) => {
                let mut connection = connection.lock().await;
                engine::postgres::count_preparation(&mut connection, &sql).await;
                let query = sqlx::query_with::<Postgres, _>(AssertSqlSafe(sql), values);
                query.$method(&mut **connection).await.map($into)
            }
        };
        executed(started.elapsed());
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
    pub fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    pub async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        sent!(self, statement, execute, ExecResult::from).map_err(of_exec)
    }

    pub async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
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

    pub async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        sent!(self, statement, fetch_optional, |row| row.map(QueryResult::from)).map_err(of_query)
    }

    pub async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        sent!(self, statement, fetch_all, |rows| rows.into_iter().map(QueryResult::from).collect())
            .map_err(of_query)
    }
}
