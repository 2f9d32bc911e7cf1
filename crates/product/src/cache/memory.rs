//! The cache in this process. It dies with the process, so it is never older than a crash.
//!
//! A reader's right to fill is the generation of its key's stripe, noted when it missed. A writer
//! raises the generation and takes the value away under the stripe's lock, and a fill compares under
//! the same lock: what was loaded before a write is never put in after it.

use std::{
    hash::BuildHasher,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use moka::{Expiry, future::Cache};
use tokio::sync::Mutex;

use super::{Answer, fetch::Look};

/// Bytes of copies of database rows; the least useful go first.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What an entry costs beside its bytes: key, bookkeeping, timer.
const OVERHEAD: usize = 200;

/// Keys share locks; two that do refuse each other's fill now and then, which costs one load.
const STRIPES: usize = 256;

pub(super) struct Memory {
    /// What `set` was given: bounded by its callers, as an early end would lose knowledge.
    kept: Cache<Arc<str>, Entry<Bytes>>,
    /// Copies of what the database holds.
    copies: Cache<Arc<str>, Entry<Answer>>,
    generations: Box<[Mutex<u64>]>,
    hasher: std::hash::RandomState,
}

#[derive(Clone)]
struct Entry<T> {
    value: T,
    ttl: Duration,
}

/// Each entry's own time to live, which a new value starts again.
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

    /// The second look, and the right to fill if there is still nothing.
    pub async fn reserve(&self, key: &str) -> Look {
        let generation = *self.generation(key).lock().await;
        match self.copy(key).await {
            Some(answer) => Look::Found(answer),
            None => Look::Mine(generation),
        }
    }

    /// Puts a loaded answer in, unless a write came in between.
    pub async fn fill(&self, key: &str, right: u64, answer: &Answer, ttl: Duration) {
        let generation = self.generation(key).lock().await;
        if *generation == right {
            self.copies.insert(key.into(), Entry { value: answer.clone(), ttl }).await;
        }
    }

    /// Takes a copy away, and every right to fill that was given out.
    pub async fn invalidate(&self, key: &str) {
        let mut generation = self.generation(key).lock().await;
        *generation += 1;
        self.copies.invalidate(key).await;
    }

    fn generation(&self, key: &str) -> &Mutex<u64> {
        &self.generations[self.hasher.hash_one(key) as usize % STRIPES]
    }
}
