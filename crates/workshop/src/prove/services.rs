//! Services for tests that the caller names, and what one server gets of them: on PostgreSQL a
//! database of its own, on Redis one with nothing in it. Nothing is found in any other way, so what is
//! proven does not depend on who proves it.

use std::{thread, time::Duration};

use reqwest::Url;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::time::timeout;

use crate::evidence::Needs;

/// Limit of each piece of work on a service.
const WITHIN: Duration = Duration::from_secs(10);

/// Beginning of the databases' names: one that a killed `prove` left behind is known by it.
const PREFIX: &str = "chokepoint_prove_";

/// Services that the caller named.
#[derive(Debug, Clone, Default)]
pub struct Services {
    pub postgres: Option<Url>,
    pub redis: Option<Url>,
    /// True if labs that do without them get them too.
    pub for_all: bool,
}

/// Database and cache of one server; by default its own file, and its own memory. What was made on a
/// service is gone when this is dropped.
#[derive(Debug, Default)]
pub struct Stores {
    database: Option<Database>,
    redis: Option<RedisDatabase>,
}

#[derive(Debug)]
struct Database {
    server: Url,
    version: String,
    name: String,
}

#[derive(Debug)]
struct RedisDatabase(Url);

/// Parses the URL of a PostgreSQL.
///
/// # Errors
/// A text that is none.
pub fn postgres_url(text: &str) -> Result<Url, String> {
    url(text, &["postgres", "postgresql"], "postgres://user:password@127.0.0.1:5432/postgres")
}

/// Parses the URL of a Redis.
///
/// # Errors
/// A text that is none.
pub fn redis_url(text: &str) -> Result<Url, String> {
    url(text, &["redis"], "redis://127.0.0.1:6379/1")
}

fn url(text: &str, schemes: &[&str], example: &str) -> Result<Url, String> {
    let parsed = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()));
    parsed.ok_or_else(|| format!("a URL such as {example} is needed"))
}

impl Services {
    /// Reason that a lab can't be shown with these, with the way to name what it needs.
    pub fn missing(&self, needs: Needs) -> Option<String> {
        let missing = |name, option, variable| {
            format!("needs {name}: name a server for tests with --{option} URL or {variable}")
        };
        if needs.postgres && self.postgres.is_none() {
            return Some(missing("PostgreSQL", "postgres", "PROVE_POSTGRES_URL"));
        }
        let is_missing = needs.redis && self.redis.is_none();
        is_missing.then(|| missing("Redis", "redis", "PROVE_REDIS_URL"))
    }

    /// Makes the stores of one server for a lab with these needs.
    ///
    /// # Errors
    /// A service that is needed and not named, that does not answer, or that refuses.
    pub async fn stores(&self, needs: Needs) -> Result<Stores, String> {
        self.missing(needs).map_or(Ok(()), Err)?;
        let postgres = self.postgres.as_ref().filter(|_| needs.postgres || self.for_all);
        let database = match postgres {
            Some(server) => Some(Database::make(server).await.map_err(of("--postgres"))?),
            None => None,
        };
        let redis = match self.redis.as_ref().filter(|_| needs.redis || self.for_all) {
            Some(url) => Some(RedisDatabase::empty(url).await.map_err(of("--redis"))?),
            None => None,
        };
        Ok(Stores { database, redis })
    }
}

fn of(option: &str) -> impl Fn(String) -> String {
    move |reason| format!("the server of {option}: {reason}")
}

impl Stores {
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
    async fn make(server: &Url) -> Result<Self, String> {
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
    async fn empty(url: &Url) -> Result<Self, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(postgres: bool, redis: bool) -> Needs {
        Needs { postgres, redis, ..Needs::default() }
    }

    #[tokio::test]
    async fn what_a_lab_needs_and_nobody_named_is_missing_with_its_option() {
        let none = Services::default();
        let error = none.stores(needs(true, true)).await.unwrap_err();
        assert_eq!(
            error,
            "needs PostgreSQL: name a server for tests with --postgres URL or PROVE_POSTGRES_URL"
        );
        let postgres = Some(postgres_url("postgresql://127.0.0.1:1/x").unwrap());
        let one = Services { postgres, ..Services::default() };
        let error = one.missing(needs(true, true)).unwrap();
        assert!(error.starts_with("needs Redis: ") && error.contains("PROVE_REDIS_URL"), "{error}");
        assert_eq!(one.missing(needs(true, false)), None);
        // Named, but not for a lab that does without it.
        let stores = one.stores(needs(false, false)).await.unwrap();
        assert_eq!((stores.in_words().as_str(), stores.database_url()), ("SQLite", None));
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_an_error_that_names_its_option() {
        let services = Services {
            postgres: Some(postgres_url("postgres://a:secret@127.0.0.1:1/x").unwrap()),
            redis: Some(redis_url("redis://127.0.0.1:1").unwrap()),
            for_all: true,
        };
        let error = services.stores(Needs::default()).await.unwrap_err();
        assert!(error.starts_with("the server of --postgres: "), "{error}");
        assert!(!error.contains("secret"), "{error}");
        let services = Services { postgres: None, ..services };
        let error = services.stores(Needs::default()).await.unwrap_err();
        assert!(error.starts_with("the server of --redis: "), "{error}");
    }

    #[test]
    fn other_urls_are_refused_with_an_example() {
        for text in ["", "127.0.0.1", "mysql://127.0.0.1", "redis://127.0.0.1"] {
            assert!(postgres_url(text).unwrap_err().contains("postgres://user:"), "{text}");
        }
        assert!(
            redis_url("postgres://127.0.0.1").unwrap_err().contains("redis://127.0.0.1:6379/1")
        );
    }
}
