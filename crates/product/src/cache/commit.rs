//! The one way to change what is cached: announce the write, commit, take the copies away.
//!
//! **No reader sees an old value after the write was answered.** A fill needs a right that was given
//! out when its reader missed, before it loaded. Announcing takes copies and rights away and, on
//! Redis, puts a mark up while which no rights are given out; after COMMIT both are taken away again
//! and the mark comes down. So a right that survives was given out after some write was complete, and
//! its load read that write. All of it is a task of its own: a client that goes away stops nothing.
//! - The writer's process dies between COMMIT and the end: the copy is gone since the announcement,
//!   and the mark keeps it away for 10 s, by when COMMIT has happened or has not.
//! - Redis drops out in between: the keys are owed to it (`redis/link.rs`).
//! - Redis was down before: the keys are owed, and nobody reads it until after they were paid.
//!
//! What remains. An outage that an idle instance does not notice (under half a second: two
//! heartbeats) lets that one read copies until the writer has paid, under a second. An instance that
//! alone has lost Redis leaves the others their copies until it is back. A process that dies *while*
//! it owes leaves copies for their TTL if that Redis kept its data. A COMMIT that takes over 10 s
//! after its writer has died, the same. In all of these the copy's TTL is the bound.

use sea_orm::DbErr;
use tracing::Instrument;

use super::{Cache, Call, Name, Store, redis};
use crate::db::Transaction;
use observe::budget::{self, Measured};

/// A key that a write changes.
#[derive(Clone, Debug)]
pub struct Changed {
    pub name: Name,
    pub id: i64,
}

impl Cache {
    /// Commits a transaction that changes what these keys hold copies of. When this returns, no
    /// instance answers with what was before.
    pub async fn commit(&self, txn: Transaction, changed: Vec<Changed>) -> Result<(), DbErr> {
        let cache = self.clone();
        let work = async move {
            let token = redis::token();
            let keys: Vec<String> = changed.iter().map(|c| c.name.key(c.id)).collect();
            let name = changed.first().map_or(Name::Todo, |c| c.name);
            cache.announce(name, &keys, &token).await;
            let committed = txn.commit().await;
            // Also if it failed: a COMMIT without an answer may have happened.
            cache.written(name, &keys, &token).await;
            committed
        };
        let task = match budget::current() {
            Some(budget) => tokio::spawn(Measured::new(budget, work).in_current_span()),
            None => tokio::spawn(work),
        };
        task.await.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string())))
    }

    async fn announce(&self, name: Name, keys: &[String], token: &str) {
        // In this process nothing outlives the writer, so there is nobody to tell.
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
