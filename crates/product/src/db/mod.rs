//! Access to the database: sea-orm's connection pool, instrumented. Each request's cost gets its
//! queries, rows, commits, database time and wait for a pooled connection.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, SubsecRound, Utc};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
    sqlx::{self, Connection, SqliteConnection},
};

use crate::config::DatabaseConfig;
pub use observe::runtime::PoolUse;
use observe::{cost::Counter, request_cost};

/// Opens a pool, on SQLite and on PostgreSQL.
mod connect;
/// The driver's connection, and the pool that lends it.
mod connection;
/// Counts of the database engine.
mod engine;
/// Meaning of a failed statement.
mod failure;
/// The SQLite file itself.
mod file;
/// A connection that its owner holds.
mod held;
/// Instruments statements: adds each to the request cost.
mod instrument;
/// Injected latency, limits on waits, and the state of the database.
mod link;
/// Circuit breaker of PostgreSQL, and its probe.
mod server;
/// Spans of statements.
mod span;
/// Texts of the statements that were sent.
mod texts;
/// BEGIN to COMMIT.
mod transaction;
/// Wait for the answer to a statement.
mod waiting;
/// Write lock of SQLite, with its line of writers.
mod write_lock;
/// Check that the database accepts writes.
mod writes;

use connection::Pool;
pub use engine::{ROWS_VISITED, STATEMENTS_PREPARED, VM_STEPS};
pub use failure::{is_orphan, is_unavailable, is_unique_violation};
pub use held::Held;
use instrument::instrumented_connection;
use link::Link;
use server::Server;
pub use transaction::Transaction;
use write_lock::WriteLock;

/// Number of the lock that PostgreSQL gives to one instance at a time while it migrates and seeds.
/// Any number works that nobody else locks in the same database.
const SET_UP_LOCK: i64 = 0x0063_686f_6b65;

/// A connection pool. Cheap to clone; sea-orm's entities take it wherever they take a connection.
#[derive(Clone)]
pub struct Db {
    pool: Arc<Pool>,
    config: Arc<DatabaseConfig>,
    link: Link,
    write_lock: WriteLock,
    /// Idle connection of the first pool of a SQLite file.
    anchor: Option<Arc<Mutex<Option<SqliteConnection>>>>,
}

impl Db {
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DbErr> {
        let server = match config.server().map(|options| connect::postgres(options, config)) {
            Some(options) => {
                let started = Instant::now();
                connect::first_connection(&options).await?;
                Some(Server::new(options, started.elapsed()))
            }
            None => None,
        };
        let link = Link::new(config, server);
        let write_lock = WriteLock::of(link.backend(), config.acquire_timeout);
        let mut db = Self::open(config.clone(), link, write_lock).await?;
        if let Some(file) = db.link.file() {
            let (connection, options) = connect::anchor(config).await?;
            file.remember(options.get_filename())?;
            db.anchor = Some(Arc::new(Mutex::new(Some(connection))));
        }
        Ok(db)
    }

    async fn open(
        config: DatabaseConfig,
        link: Link,
        write_lock: WriteLock,
    ) -> Result<Self, DbErr> {
        let pool = Pool(connect::pool(&config, link.clone()).await?);
        Ok(Self { pool: Arc::new(pool), config: Arc::new(config), link, write_lock, anchor: None })
    }

    /// Opens another pool to the same database, for work that must not share the app's connections.
    pub async fn another(&self, connections: u32) -> Result<Self, DbErr> {
        let config =
            DatabaseConfig { pool_size: connections, ..DatabaseConfig::clone(&self.config) };
        Self::open(config, self.link.clone(), self.write_lock.with_own_connections()).await
    }

    /// Migrates the schema, and lets `fill` insert the first rows. Processes that start together do
    /// it one after the other, and it is done or undone as a whole, without a time limit.
    pub async fn set_up(
        &self,
        fill: impl AsyncFnOnce(&Transaction) -> Result<(), DbErr>,
    ) -> Result<(), DbErr> {
        // Work that happens once, before the first request, needs no injected latency.
        let near = Self { link: self.link.near(), ..self.clone() };
        let txn = near.begin().await?;
        if near.get_database_backend() == DbBackend::Postgres {
            // On SQLite, BEGIN IMMEDIATE has locked the file already.
            txn.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            let lock = format!("SELECT pg_advisory_xact_lock({SET_UP_LOCK})");
            txn.execute_unprepared(&lock).await?;
        }
        Migrator::up(txn.unbooked(), None).await?;
        fill(&txn).await?;
        txn.commit().await
    }

    /// Starts a transaction that may write at once: SQLite refuses to make a reader a writer while
    /// others write. Its BEGIN and its wait for the write lock count as wait for a connection.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let span = span::of_unprepared(&self.link, "BEGIN");
        self.link.inject_latency().await;
        let started = Instant::now();
        let pool = self.pool.clone();
        let begun = async {
            let write_guard = self.write_lock.next().await?;
            request_cost::add_time(Counter::LockWaitMs, started.elapsed());
            let begin = async move { pool.begin_with_options(options).await };
            Ok((self.link.bounded_begin(Box::pin(begin)).await?, write_guard))
        };
        let begun = begun.await;
        let waited = started.elapsed();
        request_cost::add_time(Counter::DbMs, waited);
        request_cost::add_time(Counter::PoolWaitMs, waited);
        span::ended(&span, &begun, None);
        let (begun, write_guard) = begun?;
        Ok(Transaction::new(begun, self.link.of_connection(), write_guard))
    }

    /// Checks that a statement gets through.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.link.bounded(self.pool.ping()).await
    }

    pub fn pool_use(&self) -> PoolUse {
        match self.get_database_backend() {
            DbBackend::Postgres => pool_use(self.pool.get_postgres_connection_pool()),
            _ => pool_use(self.pool.get_sqlite_connection_pool()),
        }
    }

    /// Closes the pool for every clone, once statements in flight have ended.
    pub async fn close(self) -> Result<(), DbErr> {
        self.pool.close_by_ref().await?;
        let anchor = self.anchor.as_ref();
        let anchor = anchor.and_then(|a| a.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(anchor) = anchor else { return Ok(()) };
        anchor.close().await.map_err(|e| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(e))))
    }

    /// Runs a statement without a check: each statement of a pool stands for itself.
    async fn watched<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        statement.await
    }
}

/// Current time to the microsecond, which PostgreSQL stores: an answer now, and a cursor to it,
/// must equal what is read later.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

fn pool_use<B: sqlx::Database>(pool: &sqlx::Pool<B>) -> PoolUse {
    PoolUse {
        open: pool.size(),
        idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
        limit: pool.options().get_max_connections(),
    }
}

instrumented_connection!(Db, pool);
