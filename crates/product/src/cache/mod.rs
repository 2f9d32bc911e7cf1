//! The cache, in this process or on a Redis that all instances share.
//!
//! Two ways to use it: `get`, `set` and `delete` for values that a caller maintains itself, and
//! `fetch` with `commit` for copies of database rows. Nothing here fails a request: if the cache is
//! down (`Down`), the caller reads the database.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::config::CacheConfig;

/// Bloom filter of ids that may exist, without a query.
pub mod bloom;
/// One call, with injected latency and a span.
mod call;
/// The one way to change cached data, so that no reader sees an old value again.
mod commit;
/// Reads through the cache.
mod fetch;
/// Single flight: one load at a time for each key, within this process.
mod flights;
/// The cache in this process.
mod memory;
/// Cache metrics, by name.
mod names;
/// The cache on Redis.
pub mod redis;

use call::Call;
pub use commit::Changed;
pub use names::Name;
use names::Series;

/// Error of a cache that can't be reached. Callers that need the truth read the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cache is not available")]
pub struct Down;

/// A value, or the knowledge that there is none.
pub type Answer = Option<Bytes>;

/// The cache in use. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    store: Store,
    latency: Duration,
    flights: flights::Flights,
    series: Series,
}

enum Store {
    Memory(memory::Memory),
    Redis(redis::Redis),
}

impl Cache {
    /// Opens the cache that the settings choose. A Redis that is up is connected on return; one
    /// that is down is retried in the background.
    pub async fn open(config: &CacheConfig) -> Result<Self, ::redis::RedisError> {
        let store = match config.redis_url() {
            None => Store::Memory(memory::Memory::new()),
            Some(url) => Store::Redis(redis::Redis::open(url).await?),
        };
        Ok(Self(Arc::new(Inner {
            store,
            latency: config.latency_cache,
            flights: flights::Flights::default(),
            series: Series::new(),
        })))
    }

    /// Value that `set` stored. `Err` says nothing about the key: read its source instead.
    pub async fn get(&self, name: Name, key: &str) -> Result<Option<Bytes>, Down> {
        let get = async {
            match &self.0.store {
                Store::Memory(memory) => Ok(memory.get(key).await),
                Store::Redis(redis) => redis.get(key).await,
            }
        };
        self.look_up(Call::Get, name, get).await
    }

    /// Several values, in one call.
    pub async fn get_many(&self, name: Name, keys: &[&str]) -> Result<Vec<Option<Bytes>>, Down> {
        let get = async {
            match &self.0.store {
                Store::Memory(memory) => {
                    let mut found = Vec::with_capacity(keys.len());
                    for key in keys {
                        found.push(memory.get(key).await);
                    }
                    Ok(found)
                }
                Store::Redis(redis) => redis.get_many(keys).await,
            }
        };
        let found = self.call(Call::GetMany, name, get).await;
        for n in 0..keys.len() {
            self.count_look_up(name, matches!(&found, Ok(found) if found[n].is_some()));
        }
        found
    }

    /// Stores a value for `ttl`. In this process nothing evicts it earlier; on Redis its eviction
    /// policy may. `Err`: it may or may not be stored.
    pub async fn set(
        &self,
        name: Name,
        key: &str,
        value: Bytes,
        ttl: Duration,
    ) -> Result<(), Down> {
        let set = async {
            match &self.0.store {
                Store::Memory(memory) => {
                    memory.set(key, value, ttl).await;
                    Ok(())
                }
                Store::Redis(redis) => redis.set(key, &value, ttl).await,
            }
        };
        self.call(Call::Set, name, set).await
    }

    /// Deletes a key. `Err`: Redis can't be reached now. The deletion is replayed before this
    /// instance trusts it again, and other instances leave it time for that.
    pub async fn delete(&self, name: Name, key: &str) -> Result<(), Down> {
        let delete = async {
            match &self.0.store {
                Store::Memory(memory) => {
                    memory.delete(key).await;
                    Ok(())
                }
                Store::Redis(redis) => redis.delete(key).await,
            }
        };
        self.call(Call::Delete, name, delete).await
    }

    /// Redis behind the cache, for state that is shared but not cached, such as rate limits.
    pub fn redis(&self) -> Option<&redis::Redis> {
        match &self.0.store {
            Store::Memory(_) => None,
            Store::Redis(redis) => Some(redis),
        }
    }
}
