//! The cache, in this process or on a Redis that all instances share.
//!
//! Two ways to use it: `get`, `set` and `delete` for values that a caller keeps itself, and `fetch`
//! with `commit` for copies of what the database holds. Nothing here fails a request: a cache that
//! is down is an answer (`Down`), and the database is asked instead.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::config::CacheConfig;

/// Which ids may exist, without asking anybody.
pub mod bloom;
/// One call, at its distance, with its span.
mod call;
/// The one way to change what is cached: why no reader sees an old value again.
mod commit;
/// What is cached, else loaded once and cached.
mod fetch;
/// One load at a time for each key, within this process.
mod flights;
/// The cache in this process.
mod memory;
/// What is counted, by name.
mod names;
/// The cache on Redis.
pub mod redis;

use call::Call;
pub use commit::Changed;
pub use names::Name;
use names::Series;

/// The cache can't be asked; whoever needs the truth asks the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cache is not available")]
pub struct Down;

/// A value, or the knowledge that there is none.
pub type Answer = Option<Bytes>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    store: Store,
    distance: Duration,
    flights: flights::Flights,
    series: Series,
}

enum Store {
    Memory(memory::Memory),
    Redis(redis::Redis),
}

impl Cache {
    /// Opens the cache that the settings choose. A Redis that is down is waited for in the
    /// background; one that is up is connected when this returns.
    pub async fn open(config: &CacheConfig) -> Result<Self, ::redis::RedisError> {
        let store = match config.redis_url() {
            None => Store::Memory(memory::Memory::new()),
            Some(url) => Store::Redis(redis::Redis::open(url).await?),
        };
        Ok(Self(Arc::new(Inner {
            store,
            distance: config.distance_cache,
            flights: flights::Flights::default(),
            series: Series::new(),
        })))
    }

    /// The value that `set` left. `Err` says nothing about the key: ask whoever knows.
    pub async fn get(&self, name: Name, key: &str) -> Result<Option<Bytes>, Down> {
        let get = async {
            match &self.0.store {
                Store::Memory(memory) => Ok(memory.get(key).await),
                Store::Redis(redis) => redis.get(key).await,
            }
        };
        self.look_up(Call::Get, name, get).await
    }

    /// Several at once, in one call.
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

    /// Keeps a value for so long. In this process nothing pushes it out before; on Redis its
    /// eviction policy may. `Err`: it may or may not be kept.
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

    /// Takes a key away. `Err`: Redis could not be told now; it will be before this instance
    /// trusts it again, and other instances leave it time for that.
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

    /// The Redis behind it, for what is shared but not cached, such as rate limits.
    pub fn redis(&self) -> Option<&redis::Redis> {
        match &self.0.store {
            Store::Memory(_) => None,
            Store::Redis(redis) => Some(redis),
        }
    }
}
