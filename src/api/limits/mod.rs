//! How often a caller may ask: logins by account and address, registrations by address, everything
//! else by access token. Counted in Redis for all instances if there is one, else in this process.

use std::{net::IpAddr, sync::Arc};

use metrics::counter;
use sha2::{Digest, Sha256};

use crate::{
    config::{Limit, LimitsConfig, Rate},
    error::Error,
    quota::Quota,
    telemetry::metrics::names,
};

/// Counts in this process.
mod here;
/// Where requests meet their limit.
mod layers;
/// Counts in Redis.
mod shared;

pub use layers::{by_account, by_address, by_token};
pub use shared::Shared;

/// Who is counted: a digest, so that neither e-mail addresses nor tokens lie in memory or in Redis.
type Caller = [u8; 16];

#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    login: Option<Counted>,
    register: Option<Counted>,
    api: Option<Counted>,
    shared: Option<Shared>,
}

/// One limit, with the counts of this process: all there is without Redis, and what is left when
/// Redis doesn't answer.
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
            register: counted("register", config.rate_limit_register),
            api: counted("api", config.rate_limit_api),
            shared,
        }))
    }

    /// By account and address together: whoever guesses one account's password locks out neither its
    /// owner elsewhere nor a class behind the same address.
    pub async fn login(&self, client: IpAddr, email: &str) -> Result<Option<Quota>, Error> {
        let account = email.trim().to_lowercase();
        self.count(self.0.login.as_ref(), &[&network(client), &account]).await
    }

    pub async fn register(&self, client: IpAddr) -> Result<Option<Quota>, Error> {
        self.count(self.0.register.as_ref(), &[&network(client)]).await
    }

    pub async fn api(&self, token: &str) -> Result<Option<Quota>, Error> {
        self.count(self.0.api.as_ref(), &[token]).await
    }

    async fn count(
        &self,
        counted: Option<&Counted>,
        caller: &[&str],
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
            for counted in [&self.0.login, &self.0.register, &self.0.api].into_iter().flatten() {
                counted.here.forget_the_idle(counted.name);
            }
        }
    }
}

/// The length goes first, so that no two lists of parts read alike.
fn digest(parts: &[&str]) -> Caller {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut caller = Caller::default();
    caller.copy_from_slice(&hash.finalize()[..16]);
    caller
}

/// Who has one IPv6 address has the 2⁶⁴ of its network, and could be somebody else each time.
fn network(client: IpAddr) -> String {
    match client.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_caller_and_a_mapped_ipv4_address_is_that_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8:0:0:ffff::2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
