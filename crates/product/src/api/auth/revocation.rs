//! Revoked access tokens, refused although their signature is valid.
//!
//! The database is authoritative; the cache answers for it. `EPOCH` is set before the revoked
//! tokens are read, `LOADED` to the same value after they were copied. A missing key means "not
//! revoked" only while both exist and are equal: a flushed cache has neither, and a flush *during*
//! copying removes `EPOCH`. Else the database answers, and copying starts.
//!
//! A logout is answered when no instance accepts the token any more. That is so once Redis holds
//! its key, even if the logout falls between the read of a copying and its end. But if Redis can't
//! be reached, or each process has a cache of its own, others may trust what they copied earlier.
//! That trust is a lease, and the answer waits until every earlier lease has expired.
//!
//! One gap remains: a Redis that crashes and restarts from a file older than a logout, but younger
//! than its `EPOCH`, accepts that token until the lease ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::Utc;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{repository, secret};
use crate::{
    cache::{Cache, Down, Name},
    db::Db,
    entity::revoked_tokens::Model,
    error::Error,
};
use observe::throttle::Throttle;

const EPOCH: &str = "jwt:blacklist:epoch";
const LOADED: &str = "jwt:blacklist:loaded";

/// Lease of a copy in Redis. One instance reads the revoked tokens once in that time, and a logout
/// takes that long while Redis is down.
const SHARED_LEASE: Duration = Duration::from_secs(2);

/// Lease of a copy in this process. Each logout waits for it: as long as a password hash takes.
const OWN_LEASE: Duration = Duration::from_millis(250);

/// Factor on the wait: one clock times a lease, another waits for its end.
const CLOCKS_DIFFER: f32 = 1.1;

/// Concurrent writes of keys to Redis.
const AT_ONCE: usize = 256;

/// Throttle of the warning: each request with a token tries again.
static NOT_COPIED: Throttle = Throttle::every(Duration::from_secs(1));

#[derive(Default)]
pub struct Revocations {
    /// True while this process is copying.
    is_copying: Arc<AtomicBool>,
}

impl Revocations {
    /// True if any of the digests, of a token and of its family, is revoked.
    pub async fn is_any_revoked(
        &self,
        db: &Db,
        cache: &Cache,
        digests: [&str; 2],
    ) -> Result<bool, Error> {
        let [token, family] = digests.map(key);
        // EPOCH first and LOADED last: this order is right even if the read is not atomic.
        let found = cache.get_many(Name::Tokens, &[EPOCH, &token, &family, LOADED]).await;
        let found = found.ok().and_then(|found| <[_; 4]>::try_from(found).ok());
        if let Some([epoch, token, family, loaded]) = found {
            if token.is_some() || family.is_some() {
                return Ok(true);
            }
            if epoch.is_some() && epoch == loaded {
                return Ok(false);
            }
            // An epoch without its end: an instance is copying, or died and its epoch expires.
            if epoch.is_none() {
                self.copy_in_background(db, cache);
            }
        }
        Ok(repository::is_any_revoked(db, digests).await?)
    }

    /// Publishes, between commit and answer. On return every instance refuses the tokens.
    pub async fn publish(&self, cache: &Cache, revoked: &[Model]) {
        let published = tell(cache, revoked).await;
        if published.is_err() {
            // Deletes the epoch from Redis before this instance trusts it again.
            let _ = cache.delete(Name::Tokens, EPOCH).await;
        }
        if published.is_err() || cache.redis().is_none() {
            tokio::time::sleep(lease(cache).mul_f32(CLOCKS_DIFFER)).await;
        }
    }

    /// Copies in a task of its own, so that no request waits for it or bears its cost.
    fn copy_in_background(&self, db: &Db, cache: &Cache) {
        if self.is_copying.swap(true, AcqRel) {
            return;
        }
        let (db, cache, done) = (db.clone(), cache.clone(), Done(self.is_copying.clone()));
        tokio::spawn(async move {
            let _done = done;
            if let Err(error) = copy(&db, &cache).await
                && NOT_COPIED.allows()
            {
                tracing::warn!(%error, "revoked tokens can't be copied to the cache; requests with tokens ask the database");
            }
        });
    }
}

/// Marks the end of a copying, also after an error or a panic.
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Cache(#[from] Down),
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    #[error(transparent)]
    Random(#[from] getrandom::Error),
}

async fn copy(db: &Db, cache: &Cache) -> Result<(), CopyError> {
    let epoch = Bytes::from(secret::random::<16>()?);
    // The lease counts from before the read: what is committed later waits for its end.
    cache.set(Name::Tokens, EPOCH, epoch.clone(), lease(cache)).await?;
    let revoked = repository::all_revoked(db).await?;
    tell(cache, &revoked).await?;
    cache.set(Name::Tokens, LOADED, epoch, lease(cache)).await?;
    Ok(())
}

/// Sets a cache key for each token, until the token expires.
async fn tell(cache: &Cache, revoked: &[Model]) -> Result<(), Down> {
    let now = Utc::now();
    let sets = revoked.iter().filter_map(|row| {
        let left = (row.expires_at - now).to_std().ok().filter(|left| left.as_millis() > 0)?;
        let key = key(&row.digest);
        Some(async move { cache.set(Name::Tokens, &key, Bytes::from_static(b"1"), left).await })
    });
    stream::iter(sets).map(Ok).try_for_each_concurrent(AT_ONCE, |set| set).await
}

fn lease(cache: &Cache) -> Duration {
    if cache.redis().is_some() { SHARED_LEASE } else { OWN_LEASE }
}

fn key(digest: &str) -> String {
    format!("jwt:blacklist:{digest}")
}

#[cfg(test)]
mod tests;
