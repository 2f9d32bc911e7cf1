//! Every setting: an environment variable, or a flag of the same name.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum, builder::BoolishValueParser};
use tracing_subscriber::filter::Targets;

/// Settings of the server. `--help` shows these comments.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where the app listens: the API and the labs
    #[arg(long, env, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// Where ops listens: metrics, profiles, lab pages. Off loopback it needs OPS_TOKEN
    #[arg(long, env, default_value = "127.0.0.1:8001", value_name = "ADDR")]
    pub ops_listen: SocketAddr,

    #[command(flatten)]
    pub database: DatabaseConfig,

    /// Threads of the app runtime, which labs may choke [default: number of cores]
    #[arg(long, env, value_name = "N", value_parser = at_least_one)]
    pub worker_threads: Option<usize>,

    /// Bearer token that the ops port demands, at least 16 characters [default: none]
    #[arg(long, env, value_name = "TOKEN", hide_env_values = true, value_parser = ops_token)]
    pub ops_token: Option<String>,

    /// Seconds that requests in flight get to finish after SIGINT or SIGTERM
    #[arg(long, env, default_value_t = 30, value_name = "SECONDS")]
    pub shutdown_timeout: u64,

    #[command(flatten)]
    pub log: LogConfig,

    /// Serve tokio-console on 127.0.0.1:6669
    #[arg(long, env, value_name = "BOOL", default_value = "false", num_args = 0..=1,
          default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub tokio_console: bool,

    /// Leave out every layer around the handlers: no ids, budget, metrics or access log. For
    /// measuring what those cost
    #[arg(long, env, value_name = "BOOL", default_value = "false", num_args = 0..=1,
          default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub bare: bool,
}

#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// The database, made if it is missing
    #[arg(long = "database-url", env = "DATABASE_URL", value_name = "URL",
          default_value = "sqlite://data/chokepoint.db", value_parser = database_url)]
    pub url: String,

    /// Most connections the pool opens
    #[arg(long = "db-pool-size", env = "DB_POOL_SIZE", value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pool_size: u32,
}

#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// How log lines look [default: pretty on a terminal, json elsewhere]
    #[arg(long = "log-format", env = "LOG_FORMAT", value_name = "FORMAT")]
    pub format: Option<LogFormat>,

    /// What is logged, as `level` or `target=level,…`; the access log's target is `access`
    #[arg(long = "rust-log", env = "RUST_LOG", value_name = "FILTER",
          default_value = "info,sea_orm_migration=warn",
          value_parser = log_filter)]
    pub filter: Targets,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

impl Config {
    pub fn worker_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.worker_threads.unwrap_or_else(cores)
    }
}

impl DatabaseConfig {
    /// The file behind the URL.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite://")?;
        path.split('?').next().map(PathBuf::from)
    }
}

fn database_url(url: &str) -> Result<String, String> {
    let path = url.strip_prefix("sqlite://").ok_or("only sqlite:// URLs are supported so far")?;
    // Each pooled connection would open a memory database of its own.
    if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
        return Err("the path of a file must follow sqlite://".to_owned());
    }
    Ok(url.to_owned())
}

fn at_least_one(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(n @ 1..=1024) => Ok(n),
        _ => Err("a whole number from 1 to 1024 is needed".to_owned()),
    }
}

fn ops_token(token: &str) -> Result<String, String> {
    if token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("at least 16 printable ASCII characters are needed".to_owned());
    }
    Ok(token.to_owned())
}

fn log_filter(filter: &str) -> Result<Targets, String> {
    filter.parse().map_err(|_| "a level or target=level,… is needed".to_owned())
}
