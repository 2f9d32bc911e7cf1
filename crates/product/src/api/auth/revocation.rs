//! Which access tokens are refused although their signature is good.
//!
//! The database knows; the cache answers for it. `EPOCH` is set before all that is revoked is read
//! from the database, `LOADED` to the same value after it was copied. A key that is missing means "not
//! revoked" only while both stand and are equal: a flushed cache has neither, and a flush *during*
//! the copying takes `EPOCH`. Else the database is asked, and the copying starts.
//!
//! A logout is answered when no instance can believe the token any more. Once Redis holds its key
//! that is so; a logout that falls between a copying's read and its end is kept by that key. But if
//! Redis can't be told, or each process has a cache of its own, others may trust what they copied
//! earlier. That trust is a lease, and the answer waits until every lease given before has run out.
//!
//! What remains: a Redis that crashes and comes back from a file older than a logout, but younger
//! than its `EPOCH`, lets that token in until the lease ends.

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
use observe::seldom::Seldom;

const EPOCH: &str = "jwt:blacklist:epoch";
const LOADED: &str = "jwt:blacklist:loaded";

/// How long a copy in Redis is trusted. What is revoked is read once in that time, by one instance,
/// and a logout takes that long while Redis is down.
const SHARED_LEASE: Duration = Duration::from_secs(2);

/// The same for copies in this process, where every logout waits: as long as a password hash takes.
const OWN_LEASE: Duration = Duration::from_millis(250);

/// A lease is timed by one clock and waited out by another.
const CLOCKS_DIFFER: f32 = 1.1;

/// Keys on their way to Redis at once.
const AT_ONCE: usize = 256;

/// Each request with a token tries again.
static NOT_COPIED: Seldom = Seldom::every(Duration::from_secs(1));

#[derive(Default)]
pub struct Revocations {
    /// This process is copying.
    is_copying: Arc<AtomicBool>,
}

impl Revocations {
    /// Whether any of the digests, of a token and of its family, is revoked.
    pub async fn is_any_revoked(
        &self,
        db: &Db,
        cache: &Cache,
        digests: [&str; 2],
    ) -> Result<bool, Error> {
        let [token, family] = digests.map(key);
        // In this order, EPOCH first and LOADED last, it is right also if it is not one step.
        let found = cache.get_many(Name::Tokens, &[EPOCH, &token, &family, LOADED]).await;
        let found = found.ok().and_then(|found| <[_; 4]>::try_from(found).ok());
        if let Some([epoch, token, family, loaded]) = found {
            if token.is_some() || family.is_some() {
                return Ok(true);
            }
            if epoch.is_some() && epoch == loaded {
                return Ok(false);
            }
            // An epoch without its end: somebody is copying, or died and will be forgotten.
            if epoch.is_none() {
                self.copy_in_background(db, cache);
            }
        }
        Ok(repository::is_any_revoked(db, digests).await?)
    }

    /// To be called after the commit, and before anybody is told. On return every instance refuses.
    pub async fn publish(&self, cache: &Cache, revoked: &[Model]) {
        let told = tell(cache, revoked).await;
        if told.is_err() {
            // Redis is told to forget the epoch before this instance trusts it again.
            let _ = cache.delete(Name::Tokens, EPOCH).await;
        }
        if told.is_err() || cache.redis().is_none() {
            tokio::time::sleep(lease(cache).mul_f32(CLOCKS_DIFFER)).await;
        }
    }

    /// As a task of its own: no request has to wait for it, or pay.
    fn copy_in_background(&self, db: &Db, cache: &Cache) {
        if self.is_copying.swap(true, AcqRel) {
            return;
        }
        let (db, cache, done) = (db.clone(), cache.clone(), Done(self.is_copying.clone()));
        tokio::spawn(async move {
            let _done = done;
            if let Err(error) = copy(&db, &cache).await
                && NOT_COPIED.may_say()
            {
                tracing::warn!(%error, "revoked tokens can't be copied to the cache; requests with tokens ask the database");
            }
        });
    }
}

/// Says that a copying has ended, however it did.
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

/// Puts a key into the cache for each, for as long as it matters.
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
