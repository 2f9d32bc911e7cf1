//! Database and cache of one server that is proven: its own file and memory, or on the services that
//! the caller named, where nothing is left of them afterwards.

use std::{thread, time::Duration};

use reqwest::Url;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::time::timeout;

/// Limit of each piece of work on a service.
const WITHIN: Duration = Duration::from_secs(10);

/// Beginning of the databases' names: one that a killed `prove` left behind is known by it.
const PREFIX: &str = "chokepoint_prove_";

/// Database and cache of one server; by default its own file, and its own memory. What was made on a
/// service is gone when this is dropped.
#[derive(Debug, Default)]
pub struct Stores {
    database: Option<Database>,
    redis: Option<RedisDatabase>,
}

/// A database of a random name.
#[derive(Debug)]
pub(super) struct Database {
    server: Url,
    version: String,
    name: String,
}

/// A database of a Redis that was empty.
#[derive(Debug)]
pub(super) struct RedisDatabase(Url);

impl Stores {
    pub(super) fn on(database: Option<Database>, redis: Option<RedisDatabase>) -> Self {
        Self { database, redis }
    }

    /// URL of the database on PostgreSQL, if it is there.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(Database::url)
    }

    pub fn redis_url(&self) -> Option<&str> {
        self.redis.as_ref().map(|redis| redis.0.as_str())
    }

    /// The stores for people: `PostgreSQL 15.14 and Redis`.
    pub fn in_words(&self) -> String {
        let database = self.database.as_ref();
        let database = database.map_or_else(|| "SQLite".to_owned(), |database| database.in_words());
        if self.redis.is_some() { format!("{database} and Redis") } else { database }
    }
}

impl Database {
    pub async fn make(server: &Url) -> Result<Self, String> {
        let name = format!("{PREFIX}{:016x}", fastrand::u64(..));
        let made = async {
            let mut connection = PgConnection::connect(server.as_str()).await?;
            let version = connection.fetch_one("SHOW server_version").await?.try_get(0)?;
            connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
            connection.close().await?;
            Ok(version)
        };
        let version = bounded(async { made.await.map_err(in_short) }).await?;
        Ok(Self { server: server.clone(), version, name })
    }

    fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    fn in_words(&self) -> String {
        let version = self.version.split(' ').next().unwrap_or_default();
        format!("PostgreSQL {version}")
    }

    async fn remove(&self) -> Result<(), String> {
        let removed = async {
            let mut connection = PgConnection::connect(self.server.as_str()).await?;
            // The server that was proven has been killed; PostgreSQL may not know it yet.
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            connection.execute(AssertSqlSafe(drop)).await?;
            connection.close().await
        };
        bounded(async { removed.await.map_err(in_short) }).await
    }
}

impl RedisDatabase {
    /// Takes a database that is empty: whatever is in it later is the proven server's.
    pub async fn empty(url: &Url) -> Result<Self, String> {
        let keys: u64 = ask(url, "DBSIZE").await?;
        match keys {
            0 => Ok(Self(url.clone())),
            keys => Err(format!(
                "it has {keys} keys in this database; name an empty one, such as \
                 redis://127.0.0.1:6379/1, which is emptied again"
            )),
        }
    }
}

async fn ask<T: redis::FromRedisValue>(url: &Url, command: &str) -> Result<T, String> {
    let answer = async {
        let client = redis::Client::open(url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(command).query_async(&mut connection).await
    };
    bounded(async { answer.await.map_err(|e| e.to_string()) }).await
}

async fn bounded<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(WITHIN, work).await.unwrap_or_else(|_| Err(format!("no answer within {WITHIN:?}")))
}

/// What PostgreSQL says, without where in its sources it says so.
fn in_short(error: sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        told(&self.name, wait_for(self.remove()));
    }
}

impl Drop for RedisDatabase {
    fn drop(&mut self) {
        let emptied = async { ask::<String>(&self.0, "FLUSHDB").await.map(drop) };
        told("the Redis database", wait_for(emptied));
    }
}

/// Waits on a thread of its own, as whoever drops it may be on a runtime.
fn wait_for(work: impl Future<Output = Result<(), String>> + Send) -> Result<(), String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|e| e.to_string())?.block_on(work)
    };
    let ended = thread::scope(|scope| scope.spawn(run).join());
    ended.unwrap_or_else(|_| Err("the work on it panicked".to_owned()))
}

/// Says what is left behind; a proof is none the worse for it.
fn told(name: &str, removed: Result<(), String>) {
    if let Err(reason) = removed {
        eprintln!("warning: {name} is left behind: {reason}");
    }
}
