//! Descriptors, which are what connections run out of first: how many there are, and for whom.

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{StartError, answer::MOST_REFUSED, connections::Limits};
use product::config::Config;

/// More than any machine of a workshop needs, where the hard limit is a thousand times that.
const ENOUGH: u64 = 65_536;
/// Where there are enough.
const MOST_CONNECTIONS: usize = 10_000;
/// Fewer are no server.
const FEWEST_CONNECTIONS: usize = 16;
/// So that ops always answers.
pub const OPS_CONNECTIONS: usize = 64;
/// Runtimes, listeners, logs, Redis, exports, profiles.
const OTHERS: usize = 64;
/// A class behind one address, or 500 users of k6 on one machine.
const MOST_PER_ADDRESS: usize = 1_000;

/// How long a client that has closed its side may wait for its answer.
const LEFT: Duration = Duration::from_secs(5);

/// Raises the soft limit as far as it goes and returns it.
fn raised() -> std::io::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(ENOUGH).max(soft);
    if wanted > soft {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(usize::try_from(wanted).unwrap_or(usize::MAX))
}

/// What the app port may have: all but what the rest of the process needs.
pub fn limits(config: &Config) -> Result<Limits, StartError> {
    let descriptors = raised().map_err(StartError::of("descriptors"))?;
    // SQLite has the database and its log open, once for each connection.
    let of_database = usize::from(config.database.file().is_some()) + 1;
    let pool = usize::try_from(config.database.pool_size).unwrap_or(usize::MAX);
    let reserved = OPS_CONNECTIONS + OTHERS + MOST_REFUSED + of_database * pool;
    let available = descriptors.saturating_sub(reserved);
    let settings = &config.connections;
    let wanted = settings.max_connections.and_then(|most| usize::try_from(most).ok());
    if available < wanted.unwrap_or(FEWEST_CONNECTIONS) {
        let reason = format!(
            "the process may have {descriptors} descriptors (ulimit -Hn), of which {reserved} are \
             reserved for ops, the database and others: that leaves {available} connections"
        );
        return Err(StartError::new("MAX_CONNECTIONS", reason));
    }
    let most = wanted.unwrap_or(MOST_CONNECTIONS.min(available));
    let per_address =
        settings.max_connections_per_address.and_then(|most| usize::try_from(most).ok());
    Ok(Limits {
        most,
        per_address: Some(per_address.unwrap_or(MOST_PER_ADDRESS.min(most * 3 / 4))),
        spares_loopback: per_address.is_none(),
        spared: config.limits.trusted_proxies.clone(),
        head: settings.head_timeout,
        idle: settings.idle_timeout,
        write: settings.write_timeout,
        left: LEFT,
    })
}
