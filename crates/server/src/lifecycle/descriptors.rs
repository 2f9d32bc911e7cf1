//! File descriptors, the first resource that connections exhaust: their number and their division.

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{StartError, answer::MOST_REFUSED, connections::Limits};
use product::config::Config;

/// Limit to set at most. Enough for any workshop machine; hard limits can be a thousand times that.
const ENOUGH: u64 = 65_536;
/// Limit of connections where descriptors suffice.
const MOST_CONNECTIONS: usize = 10_000;
/// Smallest useful number of connections.
const FEWEST_CONNECTIONS: usize = 16;
/// Reserved, so that ops always answers.
pub const OPS_CONNECTIONS: usize = 64;
/// Reserved for runtimes, listeners, logs, Redis, exports, profiles.
const OTHERS: usize = 64;
/// Enough for a class behind one address, or 500 users of k6 on one machine.
const MOST_PER_ADDRESS: usize = 1_000;

/// Wait for the answer after a client closed its side.
const LEFT: Duration = Duration::from_secs(5);

/// Raises the soft limit as far as possible and returns it.
fn raised() -> std::io::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(ENOUGH).max(soft);
    if wanted > soft {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(usize::try_from(wanted).unwrap_or(usize::MAX))
}

/// Limits of the app port: all descriptors that the rest of the process does not need.
pub fn limits(config: &Config) -> Result<Limits, StartError> {
    let descriptors = raised().map_err(StartError::of("descriptors"))?;
    // SQLite opens the database and its write-ahead log, once for each connection.
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
