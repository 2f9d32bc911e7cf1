//! The one way to change cached data: announce the write, commit, invalidate the copies.
//!
//! **No reader sees an old value after the write was answered.** A fill needs a lease, which its
//! reader got at its miss, before it loaded. Announcing deletes copies and leases and, on Redis,
//! sets a mark while which no leases are given. After COMMIT both are deleted again and the mark is
//! removed. So a lease that survives was given after some write was complete, and its load read
//! that write. All of it runs in a task of its own: a client that disconnects stops nothing.
//! - The writer's process dies between COMMIT and the end: the copy is gone since the announcement,
//!   and the mark keeps it away for 10 s, by when COMMIT has happened or has not.
//! - Redis fails in between: the invalidations stay pending (`redis/link.rs`).
//! - Redis was down before: they stay pending, and nobody reads it until after their replay.
//!
//! Remaining gaps. An outage that an idle instance does not notice (under half a second: two
//! heartbeats) lets it read copies until the writer's replay, under a second. An instance that
//! alone has lost Redis leaves the others their copies until it is back. A process that dies *with*
//! pending invalidations leaves copies for their TTL if that Redis kept its data. So does a COMMIT
//! that takes over 10 s after its writer has died. In all of these the copy's TTL is the bound.

use sea_orm::DbErr;

use super::{Cache, Call, Name, Store, redis};
use crate::db::Transaction;
use observe::task;

/// A cache key that a write changes.
#[derive(Clone, Debug)]
pub struct Changed {
    pub name: Name,
    pub id: i64,
}

impl Cache {
    /// Commits a transaction that changes the data behind these keys. When this returns, no
    /// instance answers with the data from before.
    pub async fn commit(&self, txn: Transaction, changed: Vec<Changed>) -> Result<(), DbErr> {
        let cache = self.clone();
        let work = async move {
            let token = redis::token();
            let keys: Vec<String> = changed.iter().map(|c| c.name.key(c.id)).collect();
            let name = changed.first().map_or(Name::Todo, |c| c.name);
            cache.announce(name, &keys, &token).await;
            let committed = txn.commit().await;
            // Also after an error: a COMMIT without an answer may have happened.
            cache.written(name, &keys, &token).await;
            committed
        };
        task::spawn(work).await.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string())))
    }

    async fn announce(&self, name: Name, keys: &[String], token: &str) {
        // In this process no copy outlives the writer, so nothing has to be announced.
        if let Store::Redis(redis) = &self.0.store {
            let _ = self.call(Call::Announce, name, redis.announce(keys, token)).await;
        }
    }

    async fn written(&self, name: Name, keys: &[String], token: &str) {
        let written = async {
            match &self.0.store {
                Store::Memory(memory) => {
                    for key in keys {
                        memory.invalidate(key).await;
                    }
                    Ok(())
                }
                Store::Redis(redis) => redis.written(keys, token).await,
            }
        };
        let _ = self.call(Call::Written, name, written).await;
    }
}
