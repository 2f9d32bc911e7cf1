//! Rate limits: logins by account and address and by address alone, registrations by address, all
//! else by user. Redis counts for all instances, or each process if there is no Redis.

use std::{net::IpAddr, sync::Arc};

use metrics::counter;
use sha2::{Digest, Sha256};

use crate::metrics as names;
use crate::{
    config::{Limit, LimitsConfig, Rate},
    edge::network,
    error::Error,
    quota::Quota,
};

/// Counts in this process.
mod here;
/// Rate-limit middleware.
mod layers;
/// Counts in Redis.
mod shared;

pub use layers::{by_account, by_address, by_user};
pub use shared::Shared;

/// Digest of a caller, so that neither e-mail addresses nor tokens are kept in memory or in Redis.
type Caller = [u8; 16];

#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    login: Option<Counted>,
    login_address: Option<Counted>,
    register: Option<Counted>,
    api: Option<Counted>,
    shared: Option<Shared>,
}

/// One limit, with the counts of this process. They are used without Redis, and while Redis does
/// not answer.
struct Counted {
    name: &'static str,
    limit: Limit,
    here: here::Counts,
}

impl Limits {
    pub fn new(config: &LimitsConfig, shared: Option<Shared>) -> Self {
        let counted = |name, Rate(limit): Rate| {
            limit.map(|limit| Counted { name, limit, here: here::Counts::new(limit) })
        };
        Self(Arc::new(Inner {
            login: counted("login", config.rate_limit_login),
            login_address: counted("login_address", config.rate_limit_login_address),
            register: counted("register", config.rate_limit_register),
            api: counted("api", config.rate_limit_api),
            shared,
        }))
    }

    /// Counts a login by account and address: guessing one account's password locks out neither its
    /// owner elsewhere nor a class behind the same address. Also counts by address alone, or each
    /// new account would be a new caller. Returns the quota that has less left.
    pub async fn login(&self, client: IpAddr, account: &str) -> Result<Option<Quota>, Error> {
        let network = network(client);
        let Inner { login, login_address, .. } = &*self.0;
        // The account first: a client over its limit there spends nothing of its neighbours' quota.
        let of_account = self.count(login.as_ref(), &[&network, account.as_bytes()]).await?;
        let of_address = self.count(login_address.as_ref(), &[&network]).await?;
        Ok(of_account.into_iter().chain(of_address).min_by_key(|quota| quota.remaining))
    }

    pub async fn register(&self, client: IpAddr) -> Result<Option<Quota>, Error> {
        self.count(self.0.register.as_ref(), &[&network(client)]).await
    }

    /// Counts a request by user, as a refreshed token still belongs to the same caller.
    pub async fn api(&self, user: i64) -> Result<Option<Quota>, Error> {
        self.count(self.0.api.as_ref(), &[&user.to_le_bytes()]).await
    }

    async fn count(
        &self,
        counted: Option<&Counted>,
        caller: &[&[u8]],
    ) -> Result<Option<Quota>, Error> {
        let Some(counted) = counted else { return Ok(None) };
        let caller = digest(caller);
        let quota = match &self.0.shared {
            Some(shared) => shared.count(counted.name, counted.limit, caller).await,
            None => None,
        };
        let quota = quota.unwrap_or_else(|| counted.here.count(caller));
        if quota.retry_after.is_some() {
            counter!(names::RATE_LIMITED, "limit" => counted.name).increment(1);
            return Err(Error::TooMany(quota));
        }
        Ok(Some(quota))
    }

    /// Forgets callers that have their whole quota again, for as long as it is polled.
    pub async fn forget_the_idle(self) {
        let mut every = tokio::time::interval(here::FORGET_EVERY);
        loop {
            every.tick().await;
            let Inner { login, login_address, register, api, .. } = &*self.0;
            for counted in [login, login_address, register, api].into_iter().flatten() {
                counted.here.forget_the_idle(counted.name);
            }
        }
    }
}

/// Hashes each part after its length, so that no two lists of parts hash alike.
fn digest(parts: &[&[u8]]) -> Caller {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut caller = Caller::default();
    caller.copy_from_slice(&hash.finalize()[..16]);
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
