//! How a pool is opened, and why one can't be.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, Connection, PgConnection,
        postgres::PgConnectOptions,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

use super::{failure::is_locked, link::Link};
use crate::config::DatabaseConfig;

/// How long a writer waits for another writer of the same SQLite file before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A new file becomes a WAL file only when nobody else has it open, and SQLite doesn't wait for that:
/// of processes that start together each tries again, for as long as a writer would wait.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How long a request waits for a pooled connection before it is answered with 503; on SQLite, one that
/// writes waits as long for its turn first.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long PostgreSQL gets to take the first connection: a start that hangs tells nothing.
const FIRST_CONNECTION_WITHIN: Duration = Duration::from_secs(3);

/// A connection to a server that rested longer is asked whether it still lives before a request gets it. Under
/// load none rests that long, so a statement costs one round trip, not two.
const PING_AFTER_IDLE: Duration = Duration::from_millis(100);

/// Opens the pool, which makes a first connection.
pub async fn pool(config: &DatabaseConfig, link: Link) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(config.url());
    options
        .max_connections(config.pool_size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_before_acquire(move |connection, meta| {
            let link = link.clone();
            Box::pin(async move {
                if meta.idle_for < PING_AFTER_IDLE {
                    return Ok(true);
                }
                let answered = connection.ping().await;
                if answered.is_err() {
                    link.suspect();
                }
                answered.map(|()| true)
            })
        })
        .map_sqlx_postgres_opts(postgres)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
        });
    let started = Instant::now();
    loop {
        match Database::connect(options.clone()).await {
            Err(error) if is_locked(&error) && started.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            connected => return connected,
        }
    }
}

/// What every connection to PostgreSQL says first. A commit that was acknowledged is on disk,
/// whatever the server's or the role's default.
pub fn postgres(options: PgConnectOptions) -> PgConnectOptions {
    let settings = [("synchronous_commit", "on"), ("client_min_messages", "warning")];
    options.application_name("chokepoint").options(settings)
}

/// Whether PostgreSQL can be had at all, or why not. The pool would try again for `ACQUIRE_TIMEOUT`
/// and then only say that it timed out.
pub async fn first_connection(options: &PgConnectOptions) -> Result<(), DbErr> {
    let connected = async {
        match PgConnection::connect_with(options).await {
            Ok(connection) => connection.close().await,
            Err(error) => Err(error),
        }
    };
    let reason = match tokio::time::timeout(FIRST_CONNECTION_WITHIN, connected).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(sqlx::Error::Database(error))) => error.message().to_owned(),
        Ok(Err(sqlx::Error::Io(error))) => error.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {FIRST_CONNECTION_WITHIN:?}"),
    };
    Err(DbErr::Conn(RuntimeErr::Internal(reason)))
}
