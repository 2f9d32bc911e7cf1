//! The cache: where, how far away, and its Bloom filter.

use std::time::Duration;

use clap::Args;

use super::{
    files::content_as,
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
    #[arg(long, env, value_name = "TIME", default_value = "0", value_parser = duration)]
    pub distance_cache: Duration,

    /// Share of unknown ids that the Bloom filter lets through to the cache, 0.0001 to 0.5
    #[arg(long, env, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    pub bloom_false_positives: f64,
}

impl CacheConfig {
    /// Where Redis is, however that was given.
    pub fn redis_url(&self) -> Option<&str> {
        self.redis_url.as_deref().or(self.redis_url_file.as_deref())
    }
}
