//! Rate limits counted in Redis for all instances: the same GCRA as in the process, in one script,
//! by the clock of Redis. While Redis is down, callers are counted in this process.

use std::{sync::Arc, time::Duration};

use metrics::counter;
use redis::Script;
use tracing::Instrument;

use super::Caller;
use crate::metrics as names;
use crate::{
    cache::redis::{Link, Redis, Use, span},
    config::Limit,
    quota::Quota,
};

/// Stores one number per caller: the time at which the whole quota is available again (µs). Returns
/// the rest of the quota, or −1 and the wait in µs. Lua must not round the number to 14 digits.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local max, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local wait = full - max * interval - now
if wait > 0 then return {-1, math.ceil(wait)} end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {math.floor(-wait / interval), 0}
";

/// Shares the cache's connection, and its knowledge of whether Redis is up.
#[derive(Clone)]
pub struct Shared {
    link: Link,
    script: Arc<Script>,
}

impl Shared {
    pub fn new(redis: &Redis) -> Self {
        Self { link: redis.link().clone(), script: Arc::new(Script::new(GCRA)) }
    }

    /// Counts a request; None if Redis does not answer.
    pub(super) async fn count(&self, name: &str, limit: Limit, caller: Caller) -> Option<Quota> {
        let caller = u128::from_be_bytes(caller);
        let mut call = self.script.key(format!("rate:{name}:{caller:032x}"));
        // In µs, and a fraction of one for more than a million a second.
        let interval = limit.per.as_secs_f64() * 1e6 / f64::from(limit.max.get());
        call.arg(limit.max.get()).arg(interval);
        let span = span::of_command(&self.link, format_args!("rate limit {name}"), "EVALSHA");
        let counted = self.link.run::<(i64, u64)>(Use::Write, &call).instrument(span.clone());
        let Ok((remaining, wait)) = counted.await else {
            span::failed(&span);
            counter!(names::RATE_LIMIT_FALLBACKS).increment(1);
            return None;
        };
        Some(match u32::try_from(remaining) {
            Ok(remaining) => Quota::left(limit, remaining),
            Err(_) => Quota::spent(limit, Duration::from_micros(wait)),
        })
    }
}
