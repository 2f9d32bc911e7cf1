//! Where the tests of this binary keep their rows: a database of PostgreSQL and one of Redis, each
//! test's own. The servers are those that TEST_POSTGRES_URL and TEST_REDIS_URL name.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use product::config::DatabaseConfig;
use reqwest::Url;
use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime::Runtime;

/// How many databases the Redis of `.ci/servers/redis` has.
const REDIS_DATABASES: u32 = 256;

/// One database of each, new and empty. They end with this.
pub struct BackEnds {
    number: u32,
}

/// A server that is missing is a failure: a test that passes without it tells nothing.
pub fn server(variable: &str) -> Url {
    let url = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; .ci/checks/servers starts a server and sets it")
    });
    Url::parse(&url).unwrap_or_else(|_| panic!("{variable} is no URL"))
}

/// Waits on a thread of its own, as the caller may be on a runtime.
fn wait_for(future: impl Future<Output = ()> + Send) -> thread::Result<()> {
    thread::scope(|scope| scope.spawn(|| Runtime::new().unwrap().block_on(future)).join())
}

/// Says something to PostgreSQL itself, not to the database of a test.
async fn administer(sql: String) {
    let url = server("TEST_POSTGRES_URL");
    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

impl BackEnds {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let back_ends = Self { number: NEXT.fetch_add(1, Relaxed) };
        wait_for(async {
            administer(format!("CREATE DATABASE {}", back_ends.name())).await;
            let redis = redis::Client::open(back_ends.redis_url()).unwrap();
            let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("FLUSHDB").exec_async(&mut redis).await.unwrap();
        })
        .unwrap();
        back_ends
    }

    /// Other runs of these tests may use the same server.
    fn name(&self) -> String {
        format!("test_{}_{}", std::process::id(), self.number)
    }

    pub fn database_url(&self) -> String {
        let mut url = server("TEST_POSTGRES_URL");
        url.set_path(&self.name());
        url.into()
    }

    pub fn redis_url(&self) -> String {
        let mut url = server("TEST_REDIS_URL");
        // The first one is left to people.
        url.set_path(&(1 + self.number % (REDIS_DATABASES - 1)).to_string());
        url.into()
    }

    pub fn database(&self, pool_size: u32) -> DatabaseConfig {
        DatabaseConfig::of(self.database_url(), pool_size)
    }

    /// What tells a server to use them.
    pub fn flags(&self) -> Vec<String> {
        vec![
            format!("--database-url={}", self.database_url()),
            format!("--redis-url={}", self.redis_url()),
        ]
    }
}

impl Drop for BackEnds {
    fn drop(&mut self) {
        // Whoever is still connected to it is a part of a test that ended.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name());
        let dropped = wait_for(administer(sql));
        // A second panic would end the process, and hide what the first one says.
        assert!(dropped.is_ok() || thread::panicking());
    }
}
