//! Cache metrics, by kind of cached data. The labels are a closed set.

use metrics::{Counter, counter};

use super::Cache;
use crate::metrics as names;
use observe::{cost, request_cost};

/// Kind of data that a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// One todo.
    Todo,
    /// The newest todos of one user.
    UserTodos,
    /// Revocations of access tokens.
    Tokens,
}

impl Name {
    const ALL: [Self; 3] = [Self::Todo, Self::UserTodos, Self::Tokens];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::UserTodos => "user_todos",
            Self::Tokens => "tokens",
        }
    }

    /// Key of the copy for an id.
    pub fn key(self, id: i64) -> String {
        match self {
            Self::Todo => format!("todo:{id}"),
            Self::UserTodos => format!("todos:user:{id}"),
            Self::Tokens => format!("tokens:{id}"),
        }
    }
}

/// Prefixes of the keys of copies.
pub(super) const COPIES: [&str; 2] = ["todo:", "todos:user:"];

/// The counters of each name, looked up once.
pub(super) struct Series([Counters; Name::ALL.len()]);

pub(super) struct Counters {
    pub hits: Counter,
    pub misses: Counter,
    pub absences: Counter,
    pub bloom_rejections: Counter,
    pub loads: Counter,
    pub lock_waits: Counter,
    pub lock_failures: Counter,
    pub errors: Counter,
}

impl Series {
    pub fn new() -> Self {
        Self(Name::ALL.map(|name| {
            let counter = |metric| counter!(metric, "cache" => name.label());
            Counters {
                hits: counter(names::CACHE_HITS),
                misses: counter(names::CACHE_MISSES),
                absences: counter(names::CACHE_ABSENCES),
                bloom_rejections: counter(names::CACHE_BLOOM_REJECTIONS),
                loads: counter(names::CACHE_LOADS),
                lock_waits: counter(names::CACHE_LOCK_WAITS),
                lock_failures: counter(names::CACHE_LOCK_FAILURES),
                errors: counter(names::CACHE_ERRORS),
            }
        }))
    }
}

impl Cache {
    pub(super) fn counters(&self, name: Name) -> &Counters {
        &self.0.series.0[name as usize]
    }

    pub(super) fn count_look_up(&self, name: Name, is_hit: bool) {
        let counters = self.counters(name);
        if is_hit {
            counters.hits.increment(1)
        } else {
            counters.misses.increment(1)
        }
        // Every request with a token looks up four keys of these. In its request cost they would
        // hide what the request itself is about.
        if name != Name::Tokens {
            let counter =
                if is_hit { cost::Counter::CacheHits } else { cost::Counter::CacheMisses };
            request_cost::add(counter, 1);
        }
    }

    /// Counts an id that the Bloom filter refused, without a look-up.
    pub fn count_bloom_rejection(&self, name: Name) {
        self.counters(name).bloom_rejections.increment(1);
    }
}
