//! Limits of connections: their number, and their times.

use std::time::Duration;

use clap::Args;

use super::values::{deadline, duration};

#[derive(Args, Clone, Debug)]
pub struct ConnectionsConfig {
    /// Most connections of the app port [default: 10000, or as many as descriptors allow]
    #[arg(long, env, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: Option<u32>,

    /// Most connections of one address, or requests in flight of one client behind TRUSTED_PROXIES
    /// [default: 1000, at most three quarters of MAX_CONNECTIONS; loopback has no limit]
    #[arg(long, env, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_address: Option<u32>,

    /// Time that a request head may take from its first byte
    #[arg(long, env, value_name = "TIME", default_value = "10s", value_parser = deadline)]
    pub head_timeout: Duration,

    /// Time that a request body may take from the request head
    #[arg(long, env, value_name = "TIME", default_value = "30s", value_parser = deadline)]
    pub body_timeout: Duration,

    /// Time that a connection without a request stays open
    #[arg(long, env, value_name = "TIME", default_value = "75s", value_parser = deadline)]
    pub idle_timeout: Duration,

    /// Time that a client may read no byte of its answer; a client that reads slowly has no limit
    #[arg(long, env, value_name = "TIME", default_value = "30s", value_parser = deadline)]
    pub write_timeout: Duration,

    /// Time after SIGTERM in which /health answers 503 and requests are still served
    #[arg(long, env, value_name = "TIME", default_value = "0", value_parser = duration)]
    pub drain_period: Duration,
}
