//! Reads through the cache: a copy, or one load from the database for all who wait.

use std::time::Duration;

use bytes::Bytes;

use super::{Answer, Cache, Call, Name, Store, redis::Token};
use crate::error::Error;
use observe::{millis::whole_millis, traces};

/// Time to live of a copy.
const TTL: Duration = Duration::from_hours(1);

/// Maximum of a random addition, so that copies filled together do not expire together.
const JITTER: Duration = Duration::from_mins(5);

/// Time to live of an absence: the knowledge that there is no row.
const ABSENCE_TTL: Duration = Duration::from_mins(5);

/// Longest wait for a load of another instance: much longer than a load takes, and short enough for
/// a client. Then this instance loads for itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// Interval of the checks for the end of that load.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Result of the second look-up.
pub(super) enum Lookup<Lease = u64> {
    Found(Answer),
    /// Nothing, and the lease to fill it, which a write revokes.
    Leased(Lease),
    /// Another instance is loading.
    Elsewhere,
    /// A write is under way, so nothing may be filled.
    Written,
}

enum Lease {
    Memory(u64),
    Redis(Token),
}

impl Cache {
    /// Copy of what `load` reads from the database; `None` if there is no such row.
    ///
    /// `load` must read committed data when it runs, and every `commit` of a change to it must name
    /// the key.
    pub async fn fetch(
        &self,
        name: Name,
        key: &str,
        load: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let copy = async {
            match &self.0.store {
                Store::Memory(memory) => Ok(memory.copy(key).await),
                Store::Redis(redis) => redis.copy(key).await,
            }
        };
        let copy = self.look_up(Call::Get, name, copy).await.ok().flatten();
        if let Some(answer) = copy {
            if answer.is_none() {
                self.counters(name).absences.increment(1);
            }
            return Ok(answer);
        }
        let waits = || self.counters(name).lock_waits.increment(1);
        self.0.flights.run(key, waits, self.load(name, key, load)).await
    }

    async fn load(
        &self,
        name: Name,
        key: &str,
        load: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let right = match self.look_again(name, key).await {
            Ok(answer) => return Ok(answer),
            Err(right) => right,
        };
        self.counters(name).loads.increment(1);
        // If `load` fails or its request is dropped, dropping the lease releases it.
        let answer = load.await?;
        if let Some(right) = right {
            let ttl = ttl(&answer);
            let fill = async {
                match (&self.0.store, right) {
                    (Store::Memory(memory), Lease::Memory(right)) => {
                        memory.fill(key, right, &answer, ttl).await;
                        Ok(())
                    }
                    (Store::Redis(redis), Lease::Redis(token)) => {
                        redis.fill(token, &answer, ttl).await
                    }
                    _ => Ok(()),
                }
            };
            // The answer is correct even if the fill fails.
            let _ = self.call(Call::Fill, name, fill).await;
        }
        Ok(answer)
    }

    /// Answer that is cached by now, or the lease to fill it if there is one.
    async fn look_again(&self, name: Name, key: &str) -> Result<Answer, Option<Lease>> {
        let started = tokio::time::Instant::now();
        let mut waiting = None;
        loop {
            let reserve = async {
                match &self.0.store {
                    Store::Memory(memory) => Ok(memory.reserve(key).await.map(Lease::Memory)),
                    Store::Redis(redis) => Ok(redis.reserve(key).await?.map(Lease::Redis)),
                }
            };
            let Ok(look) = self.call(Call::Reserve, name, reserve).await else { return Err(None) };
            match look {
                Lookup::Found(answer) => return Ok(answer),
                Lookup::Leased(right) => return Err(Some(right)),
                Lookup::Written => return Err(None),
                Lookup::Elsewhere if started.elapsed() > PATIENCE => {
                    self.counters(name).lock_failures.increment(1);
                    return Err(None);
                }
                Lookup::Elsewhere => {
                    waiting.get_or_insert_with(|| {
                        self.counters(name).lock_waits.increment(1);
                        traces::waiting("lock wait")
                    });
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}

impl<A> Lookup<A> {
    fn map<B>(self, f: impl FnOnce(A) -> B) -> Lookup<B> {
        match self {
            Self::Found(answer) => Lookup::Found(answer),
            Self::Leased(right) => Lookup::Leased(f(right)),
            Self::Elsewhere => Lookup::Elsewhere,
            Self::Written => Lookup::Written,
        }
    }
}

fn ttl(answer: &Option<Bytes>) -> Duration {
    match answer {
        Some(_) => TTL + Duration::from_millis(fastrand::u64(0..=whole_millis(JITTER))),
        None => ABSENCE_TTL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_live_an_hour_and_up_to_five_minutes_more_by_chance() {
        let ttls: Vec<_> = (0..1_000).map(|_| ttl(&Some(Bytes::from_static(b"[]")))).collect();
        assert!(ttls.iter().all(|ttl| (TTL..=TTL + JITTER).contains(ttl)));
        let spread = *ttls.iter().max().unwrap() - *ttls.iter().min().unwrap();
        assert!(spread > JITTER / 2, "{spread:?}");
        assert_eq!(ttl(&None), ABSENCE_TTL);
    }
}
