//! The cache in this process. It ends with the process, so it is never older than a crash.
//!
//! A reader's lease is the generation of its key's stripe, noted at its miss. A writer raises the
//! generation and deletes the copy under the stripe's lock, and a fill compares under the same
//! lock: a value loaded before a write is never stored after it.

use std::{
    hash::BuildHasher,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use moka::{Expiry, future::Cache};
use tokio::sync::Mutex;

use super::{Answer, fetch::Lookup};

/// Capacity for copies of database rows, in bytes; the least useful go first.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of an entry beside its key and value, such as bookkeeping and timer.
const OVERHEAD: usize = 200;

/// Locks that keys share. Two keys of one lock may refuse each other's fill: it costs one load.
const STRIPES: usize = 256;

pub(super) struct Memory {
    /// Values of `set`. Only its callers bound them: an early eviction would lose knowledge.
    kept: Cache<Arc<str>, Entry<Bytes>>,
    /// Copies of database rows.
    copies: Cache<Arc<str>, Entry<Answer>>,
    generations: Box<[Mutex<u64>]>,
    hasher: std::hash::RandomState,
}

#[derive(Clone)]
struct Entry<T> {
    value: T,
    ttl: Duration,
}

/// Time to live of each entry, which a new value starts again.
struct ByEntry;

impl<T> Expiry<Arc<str>, Entry<T>> for ByEntry {
    fn expire_after_create(&self, _: &Arc<str>, entry: &Entry<T>, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Arc<str>,
        entry: &Entry<T>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

fn weight(key: &str, entry: &Entry<Answer>) -> u32 {
    let bytes = OVERHEAD + key.len() + entry.value.as_ref().map_or(0, Bytes::len);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Memory {
    pub fn new() -> Self {
        Self {
            kept: Cache::builder().expire_after(ByEntry).build(),
            copies: Cache::builder()
                .max_capacity(MOST_BYTES)
                .weigher(|key: &Arc<str>, entry| weight(key, entry))
                .expire_after(ByEntry)
                .build(),
            generations: (0..STRIPES).map(|_| Mutex::new(0)).collect(),
            hasher: std::hash::RandomState::new(),
        }
    }

    pub async fn get(&self, key: &str) -> Option<Bytes> {
        Some(self.kept.get(key).await?.value)
    }

    pub async fn set(&self, key: &str, value: Bytes, ttl: Duration) {
        self.kept.insert(key.into(), Entry { value, ttl }).await;
    }

    pub async fn delete(&self, key: &str) {
        self.kept.invalidate(key).await;
    }

    pub async fn copy(&self, key: &str) -> Option<Answer> {
        Some(self.copies.get(key).await?.value)
    }

    /// Second look-up, and the lease to fill if there is still nothing.
    pub async fn reserve(&self, key: &str) -> Lookup {
        let generation = *self.generation(key).lock().await;
        match self.copy(key).await {
            Some(answer) => Lookup::Found(answer),
            None => Lookup::Leased(generation),
        }
    }

    /// Stores a loaded answer, unless a write came in between.
    pub async fn fill(&self, key: &str, right: u64, answer: &Answer, ttl: Duration) {
        let generation = self.generation(key).lock().await;
        if *generation == right {
            self.copies.insert(key.into(), Entry { value: answer.clone(), ttl }).await;
        }
    }

    /// Deletes a copy, and revokes every lease to fill it.
    pub async fn invalidate(&self, key: &str) {
        let mut generation = self.generation(key).lock().await;
        *generation += 1;
        self.copies.invalidate(key).await;
    }

    fn generation(&self, key: &str) -> &Mutex<u64> {
        &self.generations[self.hasher.hash_one(key) as usize % STRIPES]
    }
}
