//! Settings of the cache: Redis, injected latency, Bloom filter.

use std::time::Duration;

use clap::Args;

use super::{
    files::content_as,
    renamed::renamed,
    values::{duration, redis_url, share},
};

#[derive(Args, Clone, Debug)]
pub struct CacheConfig {
    /// Redis, shared by all instances [default: none, a cache in this process]
    #[arg(long, env, value_name = "URL", hide_env_values = true, value_parser = redis_url)]
    pub redis_url: Option<String>,

    /// File that holds the REDIS_URL, instead of it
    #[arg(long, env, value_name = "FILE", conflicts_with = "redis_url",
          value_parser = content_as(redis_url))]
    pub redis_url_file: Option<String>,

    /// Awaited latency added to each call of the cache, as if it were that far away
    #[arg(long, env, value_name = "TIME", default_value = renamed("DISTANCE_CACHE", "0"),
          alias = "distance-cache", value_parser = duration)]
    pub latency_cache: Duration,

    /// Share of unknown ids that the Bloom filter lets through to the cache, 0.0001 to 0.5
    #[arg(long, env, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    pub bloom_false_positives: f64,
}

impl CacheConfig {
    /// URL of Redis, from its own setting or its file.
    pub fn redis_url(&self) -> Option<&str> {
        self.redis_url.as_deref().or(self.redis_url_file.as_deref())
    }
}
