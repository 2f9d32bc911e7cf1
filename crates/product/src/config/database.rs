//! Settings of the database: URL, number of connections, injected latency.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use reqwest::Url;
use sea_orm::sqlx::postgres::PgConnectOptions;

use super::{
    files::content_as,
    renamed::renamed,
    values::{Deadline, database_url, deadline_or_off, duration, patience},
};

/// Default limit: several hundred times what the slowest statement of the API takes.
const STATEMENT_TIMEOUT: Deadline = Deadline(Some(Duration::from_secs(10)));

#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// The database: `sqlite://` and a file, made if it is missing, or `postgres://`
    #[arg(long = "database-url", env = "DATABASE_URL", value_name = "URL", hide_env_values = true,
          default_value = "sqlite://data/chokepoint.db", value_parser = database_url)]
    pub url: String,

    /// File that holds the DATABASE_URL, instead of it
    #[arg(long = "database-url-file", env = "DATABASE_URL_FILE", value_name = "FILE",
          conflicts_with = "url", value_parser = content_as(database_url))]
    pub url_file: Option<String>,

    /// Most connections the pool opens
    #[arg(long = "db-pool-size", env = "DB_POOL_SIZE", value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pool_size: u32,

    /// Longest wait for a connection of the pool, and on SQLite for the write lock, 1s to 1h
    #[arg(long = "db-acquire-timeout", env = "DB_ACQUIRE_TIMEOUT", value_name = "TIME",
          default_value = "10s", value_parser = patience)]
    pub acquire_timeout: Duration,

    /// Longest time of one statement, BEGIN or COMMIT, 1s to 1h, or `off`; PostgreSQL gets it as
    /// its statement_timeout
    #[arg(long, env, value_name = "TIME", default_value_t = STATEMENT_TIMEOUT,
          value_parser = deadline_or_off)]
    pub statement_timeout: Deadline,

    /// Awaited latency added to each statement, as if the database were that far away
    #[arg(long, env, value_name = "TIME", default_value = renamed("DISTANCE_DB", "0"),
          alias = "distance-db", value_parser = duration)]
    pub latency_db: Duration,
}

impl DatabaseConfig {
    /// Default settings, for a database and a size of the pool.
    pub fn of(url: String, pool_size: u32) -> Self {
        Self {
            url,
            url_file: None,
            pool_size,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: STATEMENT_TIMEOUT,
            latency_db: Duration::ZERO,
        }
    }

    /// URL of the database, from its own setting or its file.
    pub fn url(&self) -> &str {
        self.url_file.as_deref().unwrap_or(&self.url)
    }

    /// SQLite file of the URL; None for a server.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.url().strip_prefix("sqlite://")?;
        path.split('?').next().map(PathBuf::from)
    }

    /// PostgreSQL server of the URL; None for a file.
    pub fn server(&self) -> Option<PgConnectOptions> {
        if self.file().is_some() { None } else { self.url().parse().ok() }
    }

    /// URL for people and logs: without a password, which may be among its options too.
    pub fn shown(&self) -> String {
        match Url::parse(self.url()) {
            Ok(mut url) if self.file().is_none() => {
                // Fails only without a host, and then there is no password either.
                let _ = url.set_password(None);
                url.set_query(None);
                url.into()
            }
            _ => self.url().to_owned(),
        }
    }
}
