//! Storage of this binary's tests: each test has its own databases on PostgreSQL and on Redis.
//! TEST_POSTGRES_URL and TEST_REDIS_URL name the servers.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use product::config::DatabaseConfig;
use reqwest::Url;
use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime::Runtime;

/// Number of databases of the Redis of `.ci/servers/redis`.
const REDIS_DATABASES: u32 = 256;

/// A new, empty database of each. They are deleted when this is dropped.
pub struct BackEnds {
    number: u32,
}

/// URL of a server. A missing one is a failure: a test that passes without it proves nothing.
pub fn server(variable: &str) -> Url {
    let url = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; .ci/checks/servers starts a server and sets it")
    });
    Url::parse(&url).unwrap_or_else(|_| panic!("{variable} is no URL"))
}

/// Waits on a separate thread, because the caller may be on a runtime.
fn wait_for(future: impl Future<Output = ()> + Send) -> thread::Result<()> {
    thread::scope(|scope| scope.spawn(|| Runtime::new().unwrap().block_on(future)).join())
}

/// Runs a statement on PostgreSQL itself, not in the database of a test.
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

    /// Unique name, because other runs of these tests may use the same server.
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
        // Database 0 is reserved for people.
        url.set_path(&(1 + self.number % (REDIS_DATABASES - 1)).to_string());
        url.into()
    }

    pub fn database(&self, pool_size: u32) -> DatabaseConfig {
        DatabaseConfig::of(self.database_url(), pool_size)
    }

    /// Flags that make a server use them.
    pub fn flags(&self) -> Vec<String> {
        vec![
            format!("--database-url={}", self.database_url()),
            format!("--redis-url={}", self.redis_url()),
        ]
    }
}

impl Drop for BackEnds {
    fn drop(&mut self) {
        // Connections that still exist belong to parts of a test that has ended.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name());
        let dropped = wait_for(administer(sql));
        // A second panic would end the process, and hide the message of the first.
        assert!(dropped.is_ok() || thread::panicking());
    }
}
