//! Settings: each is an environment variable, or a flag of the same name.

use std::net::SocketAddr;

use clap::{Args, builder::BoolishValueParser};
use observe::settings::Settings;

/// Settings of tokens and passwords.
mod auth;
/// Settings of the cache.
mod cache;
/// Limits of connections.
mod connections;
/// Settings of the database.
mod database;
/// Secrets in files of their own.
mod files;
/// Settings of log ingest.
mod ingest;
/// Rate limits, trusted proxies, and origins that may call.
mod limits;
/// Variables by their old names.
mod renamed;
/// Parsers of settings.
mod values;
/// The settings by their variables.
mod variables;

pub use auth::AuthConfig;
pub use cache::CacheConfig;
pub use connections::ConnectionsConfig;
pub use database::DatabaseConfig;
use files::content_as;
pub use ingest::IngestConfig;
pub use limits::LimitsConfig;
pub use renamed::warn_of_old_names;
pub use values::{Deadline, Limit, Rate, host_name};
use values::{at_least_one, deadline_or_off, ops_token, public_url};

/// Settings of the server. `--help` shows these comments.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address of the app: the API and the labs
    #[arg(long, env, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// Address of ops: metrics, profiles, lab pages. Off loopback it needs OPS_TOKEN
    #[arg(long, env, default_value = "127.0.0.1:8001", value_name = "ADDR")]
    pub ops_listen: SocketAddr,

    /// Address of the upstream, the service that labs call; on loopback. Port 0 is any free one
    #[arg(long, env, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub upstream_listen: SocketAddr,

    /// Names that ops is called by beside its address and localhost, with commas between
    #[arg(long, env, value_name = "HOSTS", value_delimiter = ',', value_parser = host_name)]
    pub ops_hosts: Vec<String>,

    /// Where browsers reach the ops of this instance, as http://127.0.0.1:8081 behind a proxy [default:
    /// the host that they came by, with the port of OPS_LISTEN]
    #[arg(long, env, value_name = "URL", value_parser = public_url)]
    pub ops_public_url: Option<String>,

    #[command(flatten)]
    pub database: DatabaseConfig,

    #[command(flatten)]
    pub cache: CacheConfig,

    #[command(flatten)]
    pub auth: AuthConfig,

    #[command(flatten)]
    pub ingest: IngestConfig,

    #[command(flatten)]
    pub limits: LimitsConfig,

    #[command(flatten)]
    pub connections: ConnectionsConfig,

    /// Threads of the app runtime, which labs may choke [default: number of cores]
    #[arg(long, env, value_name = "N", value_parser = at_least_one)]
    pub worker_threads: Option<usize>,

    /// Threads that /api/v1 requests hold, each from dispatch to answer
    #[arg(long, env, default_value_t = 8, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub v1_threads: u16,

    /// Longest that the API may take for a request once its body has arrived, 1s to 1h, or `off`;
    /// labs may take longer
    #[arg(long, env, value_name = "TIME", default_value = "30s", value_parser = deadline_or_off)]
    pub request_timeout: Deadline,

    /// Bearer token that the ops port demands, at least 16 characters [default: none]
    #[arg(long, env, value_name = "TOKEN", hide_env_values = true, value_parser = ops_token)]
    pub ops_token: Option<String>,

    /// File that holds the OPS_TOKEN, instead of it
    #[arg(long, env, value_name = "FILE", conflicts_with = "ops_token",
          value_parser = content_as(ops_token))]
    pub ops_token_file: Option<String>,

    /// Seconds that requests in flight get to finish after SIGINT or SIGTERM
    #[arg(long, env, default_value_t = 30, value_name = "SECONDS")]
    pub shutdown_timeout: u64,

    /// Leave out every layer around the handlers: no ids, request cost, metrics or access log. For
    /// measuring what those cost
    #[arg(long, env, value_name = "BOOL", default_value = "false", num_args = 0..=1,
          default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub bare: bool,

    #[command(flatten)]
    pub observe: Settings,
}

impl Config {
    /// Token of ops, from its own setting or its file.
    pub fn ops_token(&self) -> Option<&str> {
        self.ops_token.as_deref().or(self.ops_token_file.as_deref())
    }

    pub fn worker_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.worker_threads.unwrap_or_else(cores)
    }
}
