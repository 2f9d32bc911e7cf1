//! Lua scripts for atomic steps on Redis. KEYS come in fours: copy, lock, lease, writers.
//!
//! They use the clock of Redis alone, so instances need not agree on the time.

use std::sync::LazyLock;

use redis::Script;

pub(super) struct Scripts {
    pub reserve: Script,
    pub fill: Script,
    pub release: Script,
    pub announce: Script,
    pub written: Script,
}

/// ARGV: token, ms. Returns the copy, or gives a lease, or the reason why there is neither.
const RESERVE: &str = r"
local copy = redis.call('GET', KEYS[1])
if copy then return {'found', copy} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZCOUNT', KEYS[4], now, '+inf') > 0 then return {'written', false} end
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'elsewhere', false} end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
return {'mine', false}";

/// ARGV: token, copy, ms.
const FILL: &str = r"
if redis.call('GET', KEYS[3]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  redis.call('DEL', KEYS[3])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end";

/// ARGV: token. Releases only what still belongs to this owner.
const RELEASE: &str = r"
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end";

/// ARGV: token, ms. Each writer has its own mark: the first to end must not remove the others'.
const ANNOUNCE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for n = 1, #KEYS, 4 do
  redis.call('DEL', KEYS[n], KEYS[n + 2])
  redis.call('ZREMRANGEBYSCORE', KEYS[n + 3], '-inf', now)
  redis.call('ZADD', KEYS[n + 3], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[n + 3], ARGV[2])
end";

/// ARGV: token.
const WRITTEN: &str = r"
for n = 1, #KEYS, 4 do
  redis.call('DEL', KEYS[n], KEYS[n + 2])
  redis.call('ZREM', KEYS[n + 3], ARGV[1])
end";

/// All scripts. Their hashes are computed once.
pub(super) fn scripts() -> &'static Scripts {
    static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
        reserve: Script::new(RESERVE),
        fill: Script::new(FILL),
        release: Script::new(RELEASE),
        announce: Script::new(ANNOUNCE),
        written: Script::new(WRITTEN),
    });
    &SCRIPTS
}
