//! Opens a pool, or reports why that fails.

use std::{
    future::ready,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, Connection, PgConnection, SqliteConnection,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::time::timeout;

use super::{engine, failure::is_locked, link::Link, server::ANSWERS_WITHIN};
use crate::config::DatabaseConfig;

/// Longest wait of a writer for another writer of the same SQLite file, unless the limit of a
/// statement is shorter.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before another attempt. A new file becomes a WAL file only when nobody else has it open.
/// SQLite does not wait for that, so processes that start together try as long as a writer waits.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Longest wait for the first connection to PostgreSQL: a start that hangs reports nothing.
const FIRST_CONNECTION_WITHIN: Duration = Duration::from_secs(3);

/// Idle time after which a server's connection is pinged before a request gets it. Under load none
/// is idle that long, so a statement costs one round trip, not two.
const PING_AFTER_IDLE: Duration = Duration::from_millis(100);

/// Opens the pool, which makes a first connection.
pub async fn pool(config: &DatabaseConfig, link: Link) -> Result<DatabaseConnection, DbErr> {
    let (after_release, of_postgres) = (link.clone(), config.clone());
    let (file, busy) = (link.file().cloned(), busy_timeout(config));
    let mut options = ConnectOptions::new(config.url());
    options
        .max_connections(config.pool_size)
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_before_acquire(move |connection, meta| {
            let link = link.clone();
            Box::pin(async move {
                if !link.trusts(meta.age) || connection.is_in_transaction() {
                    return Ok(false);
                }
                if meta.idle_for < PING_AFTER_IDLE {
                    return Ok(true);
                }
                let answered = timeout(ANSWERS_WITHIN, connection.ping()).await;
                let answered = answered.unwrap_or(Err(sqlx::Error::PoolTimedOut));
                if answered.is_err() {
                    link.probe();
                }
                answered.map(|()| true)
            })
        })
        .map_sqlx_sqlite_before_acquire(move |connection, meta| {
            let is_trusted = file.as_ref().is_none_or(|file| file.trusts_connection(meta.age));
            let is_usable = is_trusted && !connection.is_in_transaction();
            Box::pin(async move {
                if is_usable {
                    engine::sqlite::lend(connection).await?;
                }
                Ok(is_usable)
            })
        })
        .map_sqlx_postgres_pool_opts(move |pool| {
            let link = after_release.clone();
            // Before any ping, for which the pool would wait without a limit.
            pool.after_release(move |connection, meta| match link.trusts(meta.age) {
                true => outside_transactions(connection),
                false => Box::pin(ready(Ok(false))),
            })
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_connect(|connection, _| Box::pin(engine::sqlite::watch(connection)))
                .after_release(|connection, _| outside_transactions(connection))
        })
        .map_sqlx_postgres_opts(move |options| postgres(options, &of_postgres))
        .map_sqlx_sqlite_opts(move |options| sqlite(options, busy));
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

/// True if a returned connection is outside of any transaction; else it gets closed. When SQLite
/// has rolled back by itself, as on a full disk, the driver's own ROLLBACK fails, and it goes on
/// counting a transaction that isn't there: the next BEGIN would be a SAVEPOINT, whose COMMIT
/// commits nothing.
fn outside_transactions<C: Connection>(
    connection: &mut C,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    if !connection.is_in_transaction() {
        return Box::pin(ready(Ok(true)));
    }
    Box::pin(async move {
        // A dropped transaction has only queued its ROLLBACK, which runs before this.
        let pinged = timeout(ANSWERS_WITHIN, connection.ping()).await;
        pinged.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        Ok(!connection.is_in_transaction())
    })
}

fn busy_timeout(config: &DatabaseConfig) -> Duration {
    config.statement_timeout.0.map_or(BUSY_TIMEOUT, |limit| limit.min(BUSY_TIMEOUT))
}

/// Options of every connection to a SQLite file.
fn sqlite(options: SqliteConnectOptions, busy: Duration) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy)
}

/// Opens an idle connection. While one is open SQLite does not delete the write-ahead log, so the
/// log under its name is the one that was opened. Also returns the options, with the path.
pub async fn anchor(
    config: &DatabaseConfig,
) -> Result<(SqliteConnection, SqliteConnectOptions), DbErr> {
    let error = |e| DbErr::Conn(RuntimeErr::SqlxError(std::sync::Arc::new(e)));
    let options = sqlite(config.url().parse().map_err(error)?, busy_timeout(config));
    let connection = SqliteConnection::connect_with(&options).await.map_err(error)?;
    Ok((connection, options))
}

/// Options of every connection to PostgreSQL. An acknowledged commit is on disk, whatever the
/// server's or the role's default. A client that vanished, as when its machine lost power, holds
/// its locks for a minute, not for the usual two hours.
pub fn postgres(options: PgConnectOptions, config: &DatabaseConfig) -> PgConnectOptions {
    let options = options.application_name("chokepoint").options([
        ("synchronous_commit", "on"),
        ("client_min_messages", "warning"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "60000"),
    ]);
    match config.statement_timeout.0 {
        Some(limit) => options.options([("statement_timeout", limit.as_millis().to_string())]),
        None => options,
    }
}

/// Checks that PostgreSQL accepts a connection. Errors with the reason: the pool would try again
/// for DB_ACQUIRE_TIMEOUT, and then only report a timeout.
pub async fn first_connection(options: &PgConnectOptions) -> Result<(), DbErr> {
    let connected = async {
        match PgConnection::connect_with(options).await {
            Ok(connection) => connection.close().await,
            Err(error) => Err(error),
        }
    };
    let reason = match timeout(FIRST_CONNECTION_WITHIN, connected).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(sqlx::Error::Database(error))) => error.message().to_owned(),
        Ok(Err(sqlx::Error::Io(error))) => error.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {FIRST_CONNECTION_WITHIN:?}"),
    };
    Err(DbErr::Conn(RuntimeErr::Internal(reason)))
}
