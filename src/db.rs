//! The database as everybody sees it: sea-orm's connection pool, wrapped so that each request's
//! record learns its queries, rows, commits, database time and wait for a pooled connection.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::{config::DatabaseConfig, telemetry::budget};

/// How long a writer waits for another writer of the same SQLite file before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a pooled connection before it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection pool. Cheap to clone; sea-orm's entities take it wherever they take a connection.
#[derive(Clone)]
pub struct Db(Arc<Pool>);

struct Pool {
    pool: DatabaseConnection,
    config: DatabaseConfig,
}

/// How the pool stands now.
pub struct PoolUse {
    pub open: u32,
    pub idle: u32,
    pub limit: u32,
}

thread_local! {
    /// How long the statement that just ended on this thread was executing, pool wait excluded.
    /// sea-orm reports it in the same poll in which the statement's future becomes ready.
    static EXECUTED: Cell<Option<Duration>> = const { Cell::new(None) };
}

impl Db {
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(config.url.as_str());
        options
            .max_connections(config.pool_size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(BUSY_TIMEOUT)
            });
        let mut pool = Database::connect(options).await?;
        pool.set_metric_callback(|query| EXECUTED.set(Some(query.elapsed)));
        Ok(Self(Arc::new(Pool { pool, config: config.clone() })))
    }

    /// A pool of its own to the same database, for what must not share connections with the app.
    pub async fn another(&self, connections: u32) -> Result<Self, DbErr> {
        let config = DatabaseConfig { pool_size: connections, ..self.0.config.clone() };
        Self::connect(&config).await
    }

    /// Brings the schema up to date; does nothing if it is.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(&self.0.pool, None).await
    }

    /// Starts a transaction that may write at once: SQLite refuses to make a reader a writer while
    /// others write. Its BEGIN is part of the wait for a connection that is booked.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let started = Instant::now();
        let begun = self.0.pool.begin_with_options(options).await;
        let waited = started.elapsed();
        budget::with(|b| {
            b.add_db_time(waited);
            b.add_pool_wait(waited);
        });
        Ok(Transaction { inner: begun? })
    }

    /// Whether a statement gets through.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.0.pool.ping().await
    }

    pub fn pool_use(&self) -> PoolUse {
        let pool = self.0.pool.get_sqlite_connection_pool();
        PoolUse {
            open: pool.size(),
            idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
            limit: pool.options().get_max_connections(),
        }
    }

    /// Closes it for every clone, once statements in flight have ended.
    pub async fn close(self) -> Result<(), DbErr> {
        self.0.pool.close_by_ref().await
    }
}

/// A transaction whose statements and commit count as the request's. Dropped, it rolls back.
pub struct Transaction {
    inner: DatabaseTransaction,
}

impl Transaction {
    pub async fn commit(self) -> Result<(), DbErr> {
        let started = Instant::now();
        let committed = self.inner.commit().await;
        budget::with(|b| {
            b.add_db_time(started.elapsed());
            if committed.is_ok() {
                b.add_commit();
            }
        });
        committed
    }
}

/// Runs one statement and books it on the current request; `rows` says how many came back.
async fn booked<T>(
    statement: impl Future<Output = Result<T, DbErr>>,
    rows: impl FnOnce(&T) -> u64,
) -> Result<T, DbErr> {
    let started = Instant::now();
    let result = statement.await;
    let executed = EXECUTED.take();
    let waited = started.elapsed();
    budget::with(|b| {
        b.add_db_time(waited);
        b.add_pool_wait(waited.saturating_sub(executed.unwrap_or_default()));
        // Otherwise no connection was to be had, and nothing was sent.
        if executed.is_some() {
            b.add_query(result.as_ref().map_or(0, rows));
        }
    });
    result
}

/// The same five methods for the pool and for a transaction on one of its connections.
macro_rules! booked_connection {
    ($wrapper:ty, $($inner:tt).+) => {
        #[async_trait::async_trait]
        impl ConnectionTrait for $wrapper {
            fn get_database_backend(&self) -> DbBackend {
                self.$($inner).+.get_database_backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                booked(self.$($inner).+.execute_raw(statement), |_| 0).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                // sea-orm tells no execution time of these, so none of it counts as pool wait.
                let started = Instant::now();
                let result = self.$($inner).+.execute_unprepared(sql).await;
                budget::with(|b| {
                    b.add_db_time(started.elapsed());
                    b.add_query(0);
                });
                result
            }

            async fn query_one_raw(
                &self,
                statement: Statement,
            ) -> Result<Option<QueryResult>, DbErr> {
                booked(self.$($inner).+.query_one_raw(statement), |row| u64::from(row.is_some())).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                booked(self.$($inner).+.query_all_raw(statement), |rows| rows.len() as u64).await
            }
        }
    };
}

booked_connection!(Db, 0.pool);
booked_connection!(Transaction, inner);
