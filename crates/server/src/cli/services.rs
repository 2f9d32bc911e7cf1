//! Options that name services for tests, for the commands that start servers of their own.

use reqwest::Url;
use workshop::prove::services::{Services, postgres_url, redis_url};

#[derive(clap::Args)]
pub struct ServiceArgs {
    /// A PostgreSQL for tests, for labs that need it and for those you name: each server gets a
    /// database of its own there, which is dropped afterwards
    #[arg(long, env = "PROVE_POSTGRES_URL", hide_env_values = true, value_name = "URL",
          value_parser = postgres_url)]
    postgres: Option<Url>,

    /// An empty Redis for tests, for the same labs; it is emptied afterwards
    #[arg(long, env = "PROVE_REDIS_URL", hide_env_values = true, value_name = "URL",
          value_parser = redis_url)]
    redis: Option<Url>,
}

impl ServiceArgs {
    /// The services, for all labs if they were named.
    pub fn services(&self, are_named: bool) -> Services {
        let Self { postgres, redis } = self;
        Services { postgres: postgres.clone(), redis: redis.clone(), for_all: are_named }
    }
}
