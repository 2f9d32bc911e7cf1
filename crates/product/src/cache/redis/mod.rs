//! The cache on Redis, which all instances share. Each call is one round trip.
//!
//! Beside a copy under `key` there are, for a short time each: `lock:key`, the token of the
//! instance that loads it; `lease:key`, the same token for as long as it may still fill;
//! `writers:key`, the tokens of writes under way.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use ::redis::{RedisError, cmd};
use bytes::Bytes;

use super::{Answer, Down, fetch::Lookup};
use observe::millis::whole_millis;

/// Heartbeat: notices that Redis failed or came back.
mod heartbeat;
/// Connection, with its circuit breaker and pending invalidations.
mod link;
/// Lua scripts, for steps that must be atomic.
mod scripts;
/// Spans of commands.
pub mod span;

pub use link::{Link, Use};
use scripts::Scripts;

/// Time after which a lock, a lease or a writer's mark expires if its owner has died. Longer than
/// any load or COMMIT that goes well; short enough to wait for.
const OWNER_DIES_AFTER: Duration = Duration::from_secs(10);

/// Copy of an absence: it has no bytes. JSON is never empty.
const ABSENT: &[u8] = b"";

#[derive(Clone)]
pub struct Redis {
    link: Link,
    scripts: &'static Scripts,
}

/// Lease to fill a key, and its lock. Dropping it releases both.
pub(super) struct Token {
    redis: Redis,
    key: String,
    token: String,
    is_used: bool,
}

impl Redis {
    pub async fn open(url: &str) -> Result<Self, RedisError> {
        Ok(Self { link: Link::open(url).await?, scripts: scripts::scripts() })
    }

    /// Connection, for state that is shared but not cached.
    pub fn link(&self) -> &Link {
        &self.link
    }

    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Down> {
        let mut get = cmd("GET");
        get.arg(key);
        self.link.query(Use::Read, get).await
    }

    pub async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Bytes>>, Down> {
        let mut get = cmd("MGET");
        get.arg(keys);
        self.link.query(Use::Read, get).await
    }

    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), Down> {
        let mut set = cmd("SET");
        set.arg(key).arg(value).arg("PX").arg(whole_millis(ttl));
        self.link.query(Use::Write, set).await
    }

    pub async fn delete(&self, key: &str) -> Result<(), Down> {
        let mut delete = cmd("DEL");
        delete.arg(key);
        let deleted = self.link.query::<()>(Use::Write, delete).await;
        deleted.inspect_err(|_| self.link.add_pending([key.to_owned()]))
    }

    pub(super) async fn copy(&self, key: &str) -> Result<Option<Answer>, Down> {
        Ok(self.get(key).await?.map(answer))
    }

    /// Second look-up, and lock and lease if there is still nothing.
    pub(super) async fn reserve(&self, key: &str) -> Result<Lookup<Token>, Down> {
        let token = token();
        let mut reserve = self.scripts.reserve.prepare_invoke();
        reserve.key(&names(key)).arg(&token).arg(whole_millis(OWNER_DIES_AFTER));
        let (state, value): (String, Option<Bytes>) = self.link.run(Use::Read, &reserve).await?;
        Ok(match (state.as_str(), value) {
            ("found", Some(value)) => Lookup::Found(answer(value)),
            ("mine", _) => {
                let (redis, key) = (self.clone(), key.to_owned());
                Lookup::Leased(Token { redis, key, token, is_used: false })
            }
            ("written", _) => Lookup::Written,
            _ => Lookup::Elsewhere,
        })
    }

    /// Stores a loaded answer if the lease still stands, and releases the lock.
    pub(super) async fn fill(
        &self,
        mut right: Token,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<(), Down> {
        let mut fill = self.scripts.fill.prepare_invoke();
        fill.key(&names(&right.key)).arg(&right.token);
        fill.arg(answer.as_deref().unwrap_or(ABSENT)).arg(whole_millis(ttl));
        let filled = self.link.run(Use::Write, &fill).await;
        // A full Redis refuses the copy; the lock is released all the same.
        right.is_used = filled.is_ok();
        filled
    }

    /// Announces a write before COMMIT: deletes copies and leases, allows none until `written`.
    pub(super) async fn announce(&self, keys: &[String], token: &str) -> Result<(), Down> {
        let mut announce = self.scripts.announce.prepare_invoke();
        announce.key(names_of_all(keys)).arg(token).arg(whole_millis(OWNER_DIES_AFTER));
        let result = self.link.run(Use::Write, &announce).await;
        result.inspect_err(|_| self.link.add_pending(keys.iter().cloned()))
    }

    /// Ends a write after COMMIT: deletes copies and leases once more, and allows new ones.
    pub(super) async fn written(&self, keys: &[String], token: &str) -> Result<(), Down> {
        let mut written = self.scripts.written.prepare_invoke();
        written.key(names_of_all(keys)).arg(token);
        let result = self.link.run(Use::Write, &written).await;
        result.inspect_err(|_| self.link.add_pending(keys.iter().cloned()))
    }
}

impl Drop for Token {
    /// Releases the lease: the load failed, or its client disconnected.
    fn drop(&mut self) {
        if self.is_used {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let redis = self.redis.clone();
            let mut release = redis.scripts.release.prepare_invoke();
            release.key(&names(&self.key)).arg(&self.token);
            runtime.spawn(async move {
                // Else it expires.
                let _: Result<(), Down> = redis.link.run(Use::Write, &release).await;
            });
        }
    }
}

fn answer(value: Bytes) -> Answer {
    if value == ABSENT { None } else { Some(value) }
}

/// Four Redis keys of a copy, in the order in which the scripts take them.
fn names(key: &str) -> [String; 4] {
    [key.to_owned(), format!("lock:{key}"), format!("lease:{key}"), format!("writers:{key}")]
}

fn names_of_all(keys: &[String]) -> Vec<String> {
    keys.iter().flat_map(|key| names(key)).collect()
}

/// Unique token over all instances: 64 random bits for the process, and a count.
pub(super) fn token() -> String {
    static PROCESS: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(|| fastrand::u64(..));
    format!("{process:016x}-{}", COUNT.fetch_add(1, Relaxed))
}
